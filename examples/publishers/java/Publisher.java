import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Opens an account, records an order, returns it, and prints what the ledger answered to each.
 *
 * <pre>java -cp 'target/jars/*' Publisher.java ACCOUNT</pre>
 *
 * Where things are comes from the environment: KAFKA_BOOTSTRAP; REFUNDS_PREFIX, if the topics have
 * one; SCHEMAS, the folder of the ledger's schemas; REFUNDS_ORIGIN, REFUNDS_ORIGIN_KEY_FILE and
 * REFUNDS_LEDGER, the ledger's id, if commands are signed.
 */
public class Publisher {
    static final String BOOTSTRAP = System.getenv("KAFKA_BOOTSTRAP");
    static final String PREFIX = System.getenv().getOrDefault("REFUNDS_PREFIX", "");
    static final Path SCHEMAS =
            Path.of(System.getenv().getOrDefault("SCHEMAS", "../../../schemas"));
    static final String ORIGIN = System.getenv("REFUNDS_ORIGIN"); // <origin>/<key id>
    static final String KEY_FILE = System.getenv("REFUNDS_ORIGIN_KEY_FILE");
    static final String LEDGER = System.getenv("REFUNDS_LEDGER");
    static final String COMMANDS = PREFIX + "refunds.commands.v1";
    static final String EVENTS = PREFIX + "refunds.events.v1";
    static final Duration PATIENCE = Duration.ofSeconds(60);

    static final Map<String, Object> BILLING = Map.of("id", "billing", "role", "BILLING");
    static final Map<String, Object> OWNER = Map.of("id", "u-1", "role", "OWNER");

    // Money is in minor units (cents, fen), prices are in millionths. The instants are fixed, so
    // that every run sends the same bytes: an id with other content is refused.
    static final Map<String, Object> OPEN =
            Map.of("account_type", "ONLINE", "us_government", false, "currency", "CNY");
    static final Map<String, Object> LINE =
            Map.of(
                    "instance_id", "i-1",
                    "product", "redis",
                    "region", "ap-guangzhou",
                    "paid", Map.of("cash", 20_000L, "gift", 20_796L, "voucher", 10_000L),
                    "components",
                            List.of(
                                    Map.of(
                                            "name", "node",
                                            "list_monthly", 51_000_000L,
                                            "payg",
                                                    List.of(
                                                            Map.of(
                                                                    "from_hours", 0L,
                                                                    "hourly", 420_000L)))),
                    "duration_discounts", List.of(Map.of("from_months", 12L, "factor", "0.83")));
    static final Map<String, Object> ORDER =
            Map.of(
                    "order_id", "o-1",
                    "kind", "NEW",
                    "channel", "STANDARD",
                    "starts_at", micros("2035-01-05T08:00:00Z"),
                    "ends_at", micros("2036-01-05T08:00:00Z"),
                    "lines", List.of(LINE),
                    "currency", "CNY");
    static final Map<String, Object> QUOTE = Map.of("instance_id", "i-1");

    record Command(String id, String name, Map<String, Object> actor, Map<String, Object> body) {}

    public static void main(String[] arguments) throws Exception {
        String account = arguments[0];
        Map<String, GenericRecord> answers =
                ask(
                        account,
                        new Command("open", "OpenAccount", BILLING, OPEN),
                        new Command("order-o-1", "RecordInstanceOrder", BILLING, ORDER),
                        new Command("quote-i-1", "QuoteInstanceReturn", OWNER, QUOTE));
        GenericRecord quote = answers.get("quote-i-1");
        Map<String, Object> giveBack =
                Map.of(
                        "instance_id", "i-1",
                        "quote_id", quote.get("quote_id"),
                        "acknowledged", true,
                        "confirmed_amount", quote.get("amount"),
                        "currency", quote.get("currency"));
        ask(
                account,
                new Command("return-i-1", "ReturnInstance", OWNER, giveBack),
                // As after a time-out: the same id and the same content. It is answered once.
                new Command("return-i-1", "ReturnInstance", OWNER, giveBack),
                // Another id is another wish, and there is nothing left to return.
                new Command("return-i-1-again", "ReturnInstance", OWNER, giveBack));
    }

    /** Publish commands and print what answers them; the last event of each, by command id. */
    static Map<String, GenericRecord> ask(String account, Command... commands) throws Exception {
        return outcomes(account, publish(account, commands), commands);
    }

    /** Send the commands in order; the partition they went to. */
    static int publish(String account, Command... commands) throws Exception {
        // The default partitioner is the right one: murmur2 of the key. Idempotence is on.
        Map<String, Object> settings =
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, BOOTSTRAP, "acks", "all");
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (var producer =
                new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer())) {
            for (Command command : commands) {
                byte[] value = encoded(account, command);
                var record = new ProducerRecord<>(COMMANDS, account, value);
                Map.of(
                                "ce_specversion", "1.0",
                                "ce_id", command.id(),
                                "ce_source", "/refunds/accounts/" + account,
                                "ce_type", "refunds.commands." + command.name(),
                                "content-type", "application/avro")
                        .forEach((name, text) -> record.headers().add(name, text.getBytes()));
                signature(account, command.id(), value)
                        .forEach((name, text) -> record.headers().add(name, text.getBytes()));
                sent.add(producer.send(record));
            }
        }
        int partition = -1;
        for (Future<RecordMetadata> each : sent) {
            partition = each.get().partition(); // throws what failed; the same ids are safe again
        }
        return partition;
    }

    /** The two headers that prove who gives a command; none where nobody asks. */
    static Map<String, String> signature(String account, String commandId, byte[] value)
            throws IOException, GeneralSecurityException {
        if (ORIGIN == null) {
            return Map.of();
        }
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(value);
        String lines =
                Stream.of(
                                "refunds-command-1",
                                "refunds.commands.v1",
                                LEDGER,
                                ORIGIN,
                                account,
                                commandId,
                                HexFormat.of().formatHex(digest))
                        .map(line -> line + "\n")
                        .collect(Collectors.joining());
        byte[] secret = Files.readString(Path.of(KEY_FILE)).strip().getBytes();
        Mac signed = Mac.getInstance("HmacSHA256");
        signed.init(new SecretKeySpec(secret, "HmacSHA256"));
        return Map.of(
                "refunds-origin", ORIGIN,
                "refunds-signature", HexFormat.of().formatHex(signed.doFinal(lines.getBytes())));
    }

    /**
     * Print each event that answers one of the commands, in order, until all are answered.
     *
     * <p>Reads the account's partition from its beginning, where a second run finds the first's
     * answers. A service reads on from where it had come to instead.
     */
    static Map<String, GenericRecord> outcomes(String account, int partition, Command... commands)
            throws IOException {
        Map<Long, BinaryMessageDecoder<GenericRecord>> decoders = decoders();
        Map<String, GenericRecord> answers = new HashMap<>();
        Set<String> waitedFor = new TreeSet<>();
        for (Command command : commands) {
            waitedFor.add(command.id());
        }
        Map<String, Object> settings =
                Map.of(
                        ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, BOOTSTRAP,
                        ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
                        ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        Instant deadline = Instant.now().plus(PATIENCE);
        try (var consumer =
                new KafkaConsumer<>(
                        settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            var place = new TopicPartition(EVENTS, partition);
            consumer.assign(List.of(place));
            consumer.seekToBeginning(List.of(place));
            while (!waitedFor.isEmpty()) {
                if (Instant.now().isAfter(deadline)) {
                    System.err.printf(
                            "no answer to %s; ask 'refundctl check-publisher'%n", waitedFor);
                    System.exit(1);
                }
                for (var record : consumer.poll(Duration.ofSeconds(1))) {
                    if (!account.equals(record.key())) {
                        continue;
                    }
                    GenericRecord event = decoded(record.value(), decoders);
                    GenericRecord meta = (GenericRecord) event.get("meta");
                    String commandId = meta.get("causation_id").toString();
                    if (!waitedFor.contains(commandId)) {
                        continue;
                    }
                    print(commandId, event);
                    answers.put(commandId, event);
                    if ((long) meta.get("index") == (long) meta.get("count") - 1) {
                        waitedFor.remove(commandId); // the last event of this command
                    }
                }
            }
        }
        return answers;
    }

    static void print(String commandId, GenericRecord event) {
        String line = "%-18s%-24s%s".formatted(commandId, event.getSchema().getName(), told(event));
        System.out.println(line.stripTrailing());
    }

    /** The detail of an event that a publisher wants to know first. */
    static String told(GenericRecord event) {
        switch (event.getSchema().getName()) {
            case "CommandRefused":
                return ((List<?>) event.get("violations"))
                        .stream()
                                .map(each -> (GenericRecord) each)
                                .map(each -> each.get("code") + ": " + each.get("message"))
                                .collect(Collectors.joining("; "));
            case "InstanceReturnQuoted":
            case "RefundIssued":
                GenericRecord parts = (GenericRecord) event.get("parts");
                return "%s %s (cash %s, gift %s)"
                        .formatted(
                                money(event.get("amount")),
                                event.get("currency"),
                                money(parts.get("cash")),
                                money(parts.get("gift")));
            default:
                return "";
        }
    }

    static String money(Object minor) {
        return java.math.BigDecimal.valueOf((long) minor, 2).toPlainString();
    }

    /** The value of a command's record: Avro's own single-object encoding. */
    static byte[] encoded(String account, Command command) throws IOException {
        Path file = SCHEMAS.resolve("commands").resolve(command.name()).resolve("1.avsc");
        Schema schema = new Schema.Parser().parse(file.toFile());
        Map<String, Object> record = new HashMap<>(command.body());
        record.put(
                "meta",
                Map.of("command_id", command.id(), "account_id", account, "actor", command.actor()));
        var encoder = new BinaryMessageEncoder<>(GenericData.get(), schema);
        ByteBuffer value = encoder.encode(generic(record, schema));
        byte[] bytes = new byte[value.remaining()];
        value.get(bytes);
        return bytes;
    }

    /** The event in a record. */
    static GenericRecord decoded(
            byte[] value, Map<Long, BinaryMessageDecoder<GenericRecord>> decoders)
            throws IOException {
        long fingerprint = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).getLong(2);
        BinaryMessageDecoder<GenericRecord> decoder = decoders.get(fingerprint);
        if (decoder == null) {
            System.err.println(
                    "an event whose schema is not in SCHEMAS: take those of the ledger's release");
            System.exit(1);
        }
        return decoder.decode(value);
    }

    /** A value as Avro's generic classes have it; what is absent is null. */
    static Object generic(Object value, Schema schema) {
        switch (schema.getType()) {
            case RECORD:
                var record = new GenericData.Record(schema);
                for (Schema.Field field : schema.getFields()) {
                    Object part = ((Map<?, ?>) value).get(field.name());
                    record.put(field.pos(), generic(part, field.schema()));
                }
                return record;
            case ARRAY:
                var array = new ArrayList<>();
                for (Object item : (List<?>) value) {
                    array.add(generic(item, schema.getElementType()));
                }
                return array;
            case ENUM:
                return new GenericData.EnumSymbol(schema, value);
            case UNION: // of null and a type
                return value == null ? null : generic(value, schema.getTypes().get(1));
            default:
                return value;
        }
    }

    /** A decoder for each version of each event, by the fingerprint that stands in a record. */
    static Map<Long, BinaryMessageDecoder<GenericRecord>> decoders() throws IOException {
        Map<Long, BinaryMessageDecoder<GenericRecord>> found = new HashMap<>();
        var pattern = FileSystems.getDefault().getPathMatcher("glob:**/events/*/*.avsc");
        try (var files = Files.walk(SCHEMAS)) {
            for (Path file : (Iterable<Path>) files.filter(pattern::matches)::iterator) {
                Schema schema = new Schema.Parser().parse(file.toFile());
                found.put(
                        SchemaNormalization.parsingFingerprint64(schema),
                        new BinaryMessageDecoder<>(GenericData.get(), schema));
            }
        }
        return found;
    }

    static long micros(String instant) {
        return Instant.parse(instant).toEpochMilli() * 1000;
    }
}
