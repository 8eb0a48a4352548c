/**
 * Opens an account, records an order, returns it, and prints what the ledger answered to each.
 *
 *     node dist/publisher.js ACCOUNT
 *
 * Where things are comes from the environment: KAFKA_BOOTSTRAP; REFUNDS_PREFIX, if the topics have
 * one; SCHEMAS, the folder of the ledger's schemas; REFUNDS_ORIGIN, REFUNDS_ORIGIN_KEY_FILE and
 * REFUNDS_LEDGER, the ledger's id, if commands are signed.
 */
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  Consumer,
  FetchIsolationLevels,
  ProduceAcks,
  Producer,
  compatibilityPartitioner,
  stringDeserializer
} from '@platformatic/kafka'
import avro from 'avsc'

type Body = Record<string, any>
type Command = [id: string, name: string, actor: Body, body: Body]

const bootstrapBrokers = [process.env.KAFKA_BOOTSTRAP ?? '']
const prefix = process.env.REFUNDS_PREFIX ?? ''
const schemas = process.env.SCHEMAS ?? '../../../schemas'
const origin = process.env.REFUNDS_ORIGIN ?? '' // <origin>/<key id>
const keyFile = process.env.REFUNDS_ORIGIN_KEY_FILE ?? ''
const ledger = process.env.REFUNDS_LEDGER ?? ''
const commandsTopic = `${prefix}refunds.commands.v1`
const eventsTopic = `${prefix}refunds.events.v1`
const patience = 60_000

const billing = { id: 'billing', role: 'BILLING' }
const owner = { id: 'u-1', role: 'OWNER' }

// Money is in minor units (cents, fen), prices are in millionths. The instants are fixed, so that
// every run sends the same bytes: an id with other content is refused.
const open = { account_type: 'ONLINE', us_government: false, currency: 'CNY' }
const order = {
  order_id: 'o-1',
  kind: 'NEW',
  channel: 'STANDARD',
  starts_at: Date.parse('2035-01-05T08:00:00Z') * 1000, // microseconds
  ends_at: Date.parse('2036-01-05T08:00:00Z') * 1000,
  lines: [
    {
      instance_id: 'i-1',
      product: 'redis',
      region: 'ap-guangzhou',
      paid: { cash: 20_000, gift: 20_796, voucher: 10_000 },
      components: [
        { name: 'node', list_monthly: 51_000_000, payg: [{ from_hours: 0, hourly: 420_000 }] }
      ],
      duration_discounts: [{ from_months: 12, factor: '0.83' }]
    }
  ],
  currency: 'CNY'
}

async function main (account: string): Promise<void> {
  const answers = await ask(account, [
    ['open', 'OpenAccount', billing, open],
    ['order-o-1', 'RecordInstanceOrder', billing, order],
    ['quote-i-1', 'QuoteInstanceReturn', owner, { instance_id: 'i-1' }]
  ])
  const quote = answers.get('quote-i-1')!
  const giveBack = {
    instance_id: 'i-1',
    quote_id: quote.quote_id,
    acknowledged: true,
    confirmed_amount: quote.amount,
    currency: quote.currency
  }
  await ask(account, [
    ['return-i-1', 'ReturnInstance', owner, giveBack],
    // As after a time-out: the same id and the same content. It is answered once.
    ['return-i-1', 'ReturnInstance', owner, giveBack],
    // Another id is another wish, and there is nothing left to return.
    ['return-i-1-again', 'ReturnInstance', owner, giveBack]
  ])
}

/** Publish commands and print what answers them; the last event of each, by command id. */
async function ask (account: string, commands: Command[]): Promise<Map<string, Body>> {
  await publish(account, commands)
  return await outcomes(account, new Set(commands.map(([id]) => id)))
}

/** Send the commands in order. What failed is sent again by another run; the same ids are safe. */
async function publish (account: string, commands: Command[]): Promise<void> {
  const producer = new Producer<Buffer, Buffer, string, string>({
    clientId: 'publisher',
    bootstrapBrokers,
    idempotent: true,
    acks: ProduceAcks.ALL,
    partitioner: compatibilityPartitioner, // Java's; its own default keeps the sign bit
    serializers: { headerKey: text => Buffer.from(text!), headerValue: text => Buffer.from(text!) }
  })
  await producer.send({
    messages: commands.map(([id, name, actor, body]) => {
      const meta = { command_id: id, account_id: account, actor }
      const value = encoded(name, { meta, ...body })
      return {
        topic: commandsTopic,
        key: Buffer.from(account),
        value,
        headers: {
          ce_specversion: '1.0',
          ce_id: id,
          ce_source: `/refunds/accounts/${account}`,
          ce_type: `refunds.commands.${name}`,
          'content-type': 'application/avro',
          ...signature(account, id, value)
        }
      }
    })
  })
  await producer.close()
}

/** The two headers that prove who gives a command; none where nobody asks. */
function signature (account: string, id: string, value: Buffer): Record<string, string> {
  if (origin === '') return {}
  const digest = createHash('sha256').update(value).digest('hex')
  const lines = [
    'refunds-command-1', 'refunds.commands.v1', ledger, origin, account, id, digest
  ]
  const secret = readFileSync(keyFile, 'utf8').trim()
  const signed = createHmac('sha256', secret).update(lines.map(line => line + '\n').join(''))
  return { 'refunds-origin': origin, 'refunds-signature': signed.digest('hex') }
}

/**
 * Print each event that answers one of the commands, in order, until all are answered.
 *
 * Reads the events from their beginning, where a second run finds the first's answers. A service
 * keeps its group, and reads on from where it had come to.
 */
async function outcomes (account: string, waitedFor: Set<string>): Promise<Map<string, Body>> {
  const known = byFingerprint()
  const answers = new Map<string, Body>()
  const consumer = new Consumer<Buffer, Buffer, string, string>({
    clientId: 'publisher',
    groupId: `publisher-${randomUUID()}`,
    bootstrapBrokers,
    autocommit: false,
    isolationLevel: FetchIsolationLevels.READ_COMMITTED,
    maxWaitTime: 500,
    deserializers: { headerKey: stringDeserializer, headerValue: stringDeserializer }
  })
  const stream = await consumer.consume({ topics: [eventsTopic], mode: 'earliest' })
  const timer = setTimeout(() => {
    console.error(`no answer to ${[...waitedFor]}; ask 'refundctl check-publisher'`)
    process.exit(1)
  }, patience)
  for await (const record of stream) {
    if (record.key?.toString() !== account) continue
    const type = known.get(record.value.subarray(2, 10).toString('hex'))
    if (type === undefined) {
      console.error("an event whose schema is not in SCHEMAS: take those of the ledger's release")
      process.exit(1)
    }
    const event: Body = type.fromBuffer(record.value.subarray(10))
    const { causation_id: id, index, count } = event.meta
    if (!waitedFor.has(id)) continue
    const name = type.name!.split('.').at(-1)!
    console.log(`${id.padEnd(18)}${name.padEnd(24)}${told(name, event)}`.trimEnd())
    answers.set(id, event)
    if (index === count - 1) waitedFor.delete(id) // the last event of this command
    if (waitedFor.size === 0) break
  }
  clearTimeout(timer)
  await consumer.close(true)
  return answers
}

/** The detail of an event that a publisher wants to know first. */
function told (name: string, event: Body): string {
  switch (name) {
    case 'CommandRefused':
      return event.violations.map((each: Body) => `${each.code}: ${each.message}`).join('; ')
    case 'InstanceReturnQuoted':
    case 'RefundIssued': {
      const { cash, gift } = event.parts
      return `${money(event.amount)} ${event.currency} (cash ${money(cash)}, gift ${money(gift)})`
    }
    default:
      return ''
  }
}

function money (minor: number): string {
  return (minor / 100).toFixed(2)
}

/** The value of a command's record, in Avro's single-object encoding. */
function encoded (name: string, record: Body): Buffer {
  const type = schemaIn(join(schemas, 'commands', name, '1.avsc'))
  return Buffer.concat([Buffer.from('c301', 'hex'), fingerprint(type), type.toBuffer(record)])
}

/** Each version of each event, by the fingerprint that stands in a record. */
function byFingerprint (): Map<string, avro.Type> {
  const root = join(schemas, 'events')
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const types = files.filter(file => file.endsWith('.avsc')).map(file => schemaIn(join(root, file)))
  return new Map(types.map(type => [fingerprint(type).toString('hex'), type]))
}

function schemaIn (file: string): avro.Type {
  return avro.Type.forSchema(JSON.parse(readFileSync(file, 'utf8')))
}

/** CRC-64-AVRO of the schema's canonical form, little endian. avsc has other hashes only. */
function fingerprint (type: avro.Type): Buffer {
  let crc = EMPTY
  for (const byte of Buffer.from(JSON.stringify(type.schema()))) {
    crc = (crc >> 8n) ^ TABLE[Number((crc ^ BigInt(byte)) & 0xffn)]
  }
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(crc)
  return bytes
}

const EMPTY = 0xc15d213aa4d7a795n
const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let crc = BigInt(byte)
  for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (EMPTY & -(crc & 1n))
  return crc
})

await main(process.argv[2])
