// Opens an account, records an order, returns it, and prints what the ledger answered to each.
//
//	go run . ACCOUNT
//
// Where things are comes from the environment: KAFKA_BOOTSTRAP; REFUNDS_PREFIX, if the topics have
// one; SCHEMAS, the folder of the ledger's schemas; REFUNDS_ORIGIN, REFUNDS_ORIGIN_KEY_FILE and
// REFUNDS_LEDGER, the ledger's id, if commands are signed.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	bootstrap = os.Getenv("KAFKA_BOOTSTRAP")
	prefix    = os.Getenv("REFUNDS_PREFIX")
	schemas   = orElse(os.Getenv("SCHEMAS"), "../../../schemas")
	origin    = os.Getenv("REFUNDS_ORIGIN") // <origin>/<key id>
	commands  = prefix + "refunds.commands.v1"
	events    = prefix + "refunds.events.v1"
)

const patience = time.Minute

type object = map[string]any

type command struct {
	id, name string
	actor    object
	body     object
}

var (
	billing = object{"id": "billing", "role": "BILLING"}
	owner   = object{"id": "u-1", "role": "OWNER"}
)

// Money is in minor units (cents, fen), prices are in millionths. The instants are fixed, so that
// every run sends the same bytes: an id with other content is refused.
var (
	open  = object{"account_type": "ONLINE", "us_government": false, "currency": "CNY"}
	order = object{
		"order_id":  "o-1",
		"kind":      "NEW",
		"channel":   "STANDARD",
		"starts_at": time.Date(2035, 1, 5, 8, 0, 0, 0, time.UTC),
		"ends_at":   time.Date(2036, 1, 5, 8, 0, 0, 0, time.UTC),
		"lines": []any{object{
			"instance_id": "i-1",
			"product":     "redis",
			"region":      "ap-guangzhou",
			"paid":        object{"cash": 20000, "gift": 20796, "voucher": 10000},
			"components": []any{object{
				"name":         "node",
				"list_monthly": 51_000_000,
				"payg":         []any{object{"from_hours": 0, "hourly": 420_000}},
			}},
			"duration_discounts": []any{object{"from_months": 12, "factor": "0.83"}},
		}},
		"currency": "CNY",
	}
	quote = object{"instance_id": "i-1"}
)

func main() {
	log.SetFlags(0)
	account := os.Args[1]
	client, err := kgo.NewClient(
		kgo.SeedBrokers(bootstrap),
		// The default partitioner is the right one: murmur2 of the key. Idempotence is on.
		kgo.RecordDeliveryTimeout(patience),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	)
	check(err)
	defer client.Close()

	answers := ask(client, account,
		command{"open", "OpenAccount", billing, open},
		command{"order-o-1", "RecordInstanceOrder", billing, order},
		command{"quote-i-1", "QuoteInstanceReturn", owner, quote},
	)
	quoted := answers["quote-i-1"]
	giveBack := object{
		"instance_id":      "i-1",
		"quote_id":         quoted["quote_id"],
		"acknowledged":     true,
		"confirmed_amount": quoted["amount"],
		"currency":         quoted["currency"],
	}
	ask(client, account,
		command{"return-i-1", "ReturnInstance", owner, giveBack},
		// As after a time-out: the same id and the same content. It is answered once.
		command{"return-i-1", "ReturnInstance", owner, giveBack},
		// Another id is another wish, and there is nothing left to return.
		command{"return-i-1-again", "ReturnInstance", owner, giveBack},
	)
}

// ask publishes commands and prints what answers them; the last event of each, by command id.
func ask(client *kgo.Client, account string, given ...command) map[string]object {
	return outcomes(client, account, publish(client, account, given), given)
}

// publish sends the commands in order; the partition they went to.
func publish(client *kgo.Client, account string, given []command) int32 {
	records := make([]*kgo.Record, len(given))
	for i, each := range given {
		value := encoded(account, each)
		headers := []kgo.RecordHeader{
			{Key: "ce_specversion", Value: []byte("1.0")},
			{Key: "ce_id", Value: []byte(each.id)},
			{Key: "ce_source", Value: []byte("/refunds/accounts/" + account)},
			{Key: "ce_type", Value: []byte("refunds.commands." + each.name)},
			{Key: "content-type", Value: []byte("application/avro")},
		}
		records[i] = &kgo.Record{
			Topic:   commands,
			Key:     []byte(account),
			Value:   value,
			Headers: append(headers, signature(account, each.id, value)...),
		}
	}
	// What failed is published again by another run; the same ids are safe.
	check(client.ProduceSync(context.Background(), records...).FirstErr())
	return records[0].Partition
}

// signature is the two headers that prove who gives a command; none where nobody asks.
func signature(account, id string, value []byte) []kgo.RecordHeader {
	if origin == "" {
		return nil
	}
	text, err := os.ReadFile(os.Getenv("REFUNDS_ORIGIN_KEY_FILE"))
	check(err)
	digest := sha256.Sum256(value)
	lines := []string{
		"refunds-command-1",
		"refunds.commands.v1",
		os.Getenv("REFUNDS_LEDGER"),
		origin,
		account,
		id,
		hex.EncodeToString(digest[:]),
	}
	signed := hmac.New(sha256.New, []byte(strings.TrimSpace(string(text))))
	signed.Write([]byte(strings.Join(lines, "\n") + "\n"))
	return []kgo.RecordHeader{
		{Key: "refunds-origin", Value: []byte(origin)},
		{Key: "refunds-signature", Value: []byte(hex.EncodeToString(signed.Sum(nil)))},
	}
}

// outcomes prints each event that answers one of the commands, in order, until all are answered.
//
// It reads the account's partition from its beginning, where a second run finds the first's answers.
// A service reads on from where it had come to instead.
func outcomes(
	client *kgo.Client, account string, partition int32, given []command,
) map[string]object {
	known := byFingerprint()
	waitedFor, answers := map[string]bool{}, map[string]object{}
	for _, each := range given {
		waitedFor[each.id] = true
	}
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{
		events: {partition: kgo.NewOffset().AtStart()},
	})
	defer client.RemoveConsumePartitions(map[string][]int32{events: {partition}})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for len(waitedFor) > 0 {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			waiting := slices.Sorted(maps.Keys(waitedFor))
			log.Fatalf("no answer to %v; ask 'refundctl check-publisher'", waiting)
		}
		check(fetches.Err())
		for _, record := range fetches.Records() {
			if string(record.Key) != account {
				continue
			}
			name, event := decoded(record.Value, known)
			meta := event["meta"].(object)
			id := meta["causation_id"].(string)
			if !waitedFor[id] {
				continue
			}
			fmt.Println(strings.TrimRight(fmt.Sprintf("%-18s%-24s%s", id, name, told(name, event)), " "))
			answers[id] = event
			if meta["index"].(int64) == meta["count"].(int64)-1 { // the last event of this command
				delete(waitedFor, id)
			}
		}
	}
	return answers
}

// told is the detail of an event that a publisher wants to know first.
func told(name string, event object) string {
	switch name {
	case "CommandRefused":
		var said []string
		for _, each := range event["violations"].([]any) {
			violation := each.(object)
			said = append(said, fmt.Sprintf("%s: %s", violation["code"], violation["message"]))
		}
		return strings.Join(said, "; ")
	case "InstanceReturnQuoted", "RefundIssued":
		parts := event["parts"].(object)
		return fmt.Sprintf("%s %s (cash %s, gift %s)",
			money(event["amount"]), event["currency"], money(parts["cash"]), money(parts["gift"]))
	}
	return ""
}

func money(minor any) string {
	return fmt.Sprintf("%d.%02d", minor.(int64)/100, minor.(int64)%100)
}

// encoded is the value of a command's record, in Avro's single-object encoding.
func encoded(account string, given command) []byte {
	text, err := os.ReadFile(filepath.Join(schemas, "commands", given.name, "1.avsc"))
	check(err)
	schema, err := avro.Parse(string(text))
	check(err)
	record := maps.Clone(given.body)
	record["meta"] = object{"command_id": given.id, "account_id": account, "actor": given.actor}
	value, err := schema.AppendSingleObject(nil, record)
	check(err)
	return value
}

type namedSchema struct {
	name   string
	schema *avro.Schema
}

// decoded is the name of the event in a record, and what it says.
func decoded(value []byte, known map[[8]byte]namedSchema) (string, object) {
	found, there := known[[8]byte(value[2:10])]
	if !there {
		log.Fatal("an event whose schema is not in SCHEMAS: take those of the ledger's release")
	}
	var event any
	_, err := found.schema.DecodeSingleObject(value, &event)
	check(err)
	return found.name, event.(object)
}

// byFingerprint holds each version of each event, by the fingerprint that stands in a record.
func byFingerprint() map[[8]byte]namedSchema {
	files, err := filepath.Glob(filepath.Join(schemas, "events", "*", "*.avsc"))
	check(err)
	known := map[[8]byte]namedSchema{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(err)
		schema, err := avro.Parse(string(text))
		check(err)
		rabin := avro.NewRabin()
		rabin.Write(schema.Canonical())
		sum := rabin.Sum64()
		var fingerprint [8]byte // little endian, as it stands in a record
		for i := range fingerprint {
			fingerprint[i] = byte(sum >> (8 * i))
		}
		known[fingerprint] = namedSchema{filepath.Base(filepath.Dir(file)), schema}
	}
	return known
}

func orElse(value, other string) string {
	if value == "" {
		return other
	}
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
