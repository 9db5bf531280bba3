/* make_corpus DIR: the first inputs of the fuzz targets, the same at every run: DIR/msg with
 * messages of each kind, DIR/frame with streams of them, and in both what an enemy would try. The
 * folders must exist; files of other names stay. */
#include "test.h"

#include "store/base/fs.h"
#include "store/seal.h"
#include "worker/frame.h"
#include "worker/msg.h"

static void save(const char *dir, const char *target, const char *name, const void *bytes, size_t n)
{
	AUTO_FREE char *path = mem_printf("%s/%s/%s", dir, target, name);
	struct err e = {0};
	if (fs_write(path, bytes, n, false, &e) != 0) {
		fprintf(stderr, "%s\n", e.text);
		exit(1);
	}
}

struct sample {
	const char *name, *bytes;
	size_t n;
};
#define SAMPLE(name, bytes) {name, bytes, sizeof(bytes) - 1}

/* 00 c9 = hello, 00 cd = result, 00 65 = init, 00 69 = stop. */
static const struct sample messages[] = {
	SAMPLE("hostile-none", ""),
	SAMPLE("hostile-half-kind", "\x00"),
	SAMPLE("hostile-kind-0", "\x00\x00\x81\xa1v\x01"),
	SAMPLE("hostile-kind-big", "\xff\xff\x81\xa1v\x01"),
	SAMPLE("hostile-no-record", "\x00\xc9"),
	SAMPLE("hostile-no-format", "\x00\xc9\x80"),
	SAMPLE("hostile-newer", "\x00\xc9\x81\xa1v\xcd\xff\xff"),
	SAMPLE("hostile-not-a-map", "\x00\xc9\x92\xa1v\x01"),
	SAMPLE("hostile-after", "\x00\xc9\x81\xa1v\x01\xc0"),
	SAMPLE("hostile-negative",
	       "\x00\xc9\x82\xa1v\x01\xa3pid\xd3\xff\xff\xff\xff\xff\xff\xff\xff"),
	SAMPLE("hostile-float", "\x00\xc9\x82\xa1v\x01\xa3pid\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"),
	SAMPLE("hostile-twice", "\x00\xc9\x83\xa1v\x01\xa3pid\x01\xa3pid\x01"),
	SAMPLE("hostile-version-twice", "\x00\xc9\x82\xa1v\x01\xa1v\x01"),
	SAMPLE("hostile-map-claim", "\x00\xc9\xdf\xff\xff\xff\xff"),
	SAMPLE("hostile-list-claim", "\x00\xcd\x82\xa1v\x01\xa5gates\xdd\x00\xff\xff\xff"),
	SAMPLE("hostile-text-claim", "\x00\xcd\x82\xa1v\x01\xa4task\xdb\xff\xff\xff\xff"),
	SAMPLE("hostile-list-of-numbers", "\x00\xcd\x82\xa1v\x01\xa5gates\x93\x01\x02\x03"),
	SAMPLE("hostile-list-of-nil", "\x00\xcd\x82\xa1v\x01\xa5gates\x91\xc0"),
	SAMPLE("hostile-nul", "\x00\xcd\x82\xa1v\x01\xa4task\xa3" "a\0b"),
	SAMPLE("hostile-binary", "\x00\xcd\x82\xa1v\x01\xa4task\xc4\x01" "a"),
	SAMPLE("hostile-number-key", "\x00\xc9\x82\xa1v\x01\x01\x02"),
	SAMPLE("hostile-ext", "\x00\xc9\x82\xa1v\x01\xa3pid\xc7\x03\x01" "abc"),
	SAMPLE("hostile-c1", "\x00\xc9\xc1"),
	SAMPLE("hostile-deep",
	       "\x00\xc9\x82\xa1v\x01\xa1x\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0"),
	SAMPLE("not-utf8", "\x00\x69\x82\xa1v\x01\xa6reason\xa4\xff\xfe\x80\xc3"),
	SAMPLE("terminal", "\x00\x69\x82\xa1v\x01\xa6reason\xa9\x1b]0;x\x07\xc2\x9b" "1"),
	SAMPLE("newer-key", "\x00\xc9\x82\xa1v\x01\xa3new\x92\x01\x81\xa1" "a\xc2"),
	SAMPLE("old-short", "\x00\x65\x81\xa1v\x00"),
	SAMPLE("private", "\x00\x65\x82\xa1v\x01\xaagit_config\x92\xa5" "a.b=c\xa6secret"),
};

static void make_messages(const char *dir, struct test_rng *rng)
{
	for (size_t i = 0; i < MSG_COUNT; i++) {
		enum msg_kind kind = msg_kind_at(i);
		for (int k = 0; k < 2; k++) {
			AUTO_FREE char *name =
				mem_printf("%s-%s", msg_name(kind), k ? "random" : "zero");
			AUTO_STR struct str bytes = {0};
			struct msg m = {.kind = kind};
			if (k)
				msg_random(&m, kind, test_rng_next, rng);
			msg_encode(&m, &bytes);
			save(dir, "msg", name, bytes.p, bytes.len);
			msg_fini(&m);
		}
	}
	for (size_t i = 0; i < MEM_COUNT(messages); i++)
		save(dir, "msg", messages[i].name, messages[i].bytes, messages[i].n);
}

/* Bit 0 of the first byte asks fuzz_frame to make the checksums right, so that these files do not
 * depend on what seal_sum64 is; all else that is wrong stays so. 0x41 = in pieces of 33 bytes. */
static const struct sample streams[] = {
	SAMPLE("hostile-none", "\x41"),
	SAMPLE("hostile-length-0", "\x41\0\0\0\0"),
	SAMPLE("hostile-length-1", "\x41\0\0\0\1\1"),
	SAMPLE("hostile-length-12", "\x41\0\0\0\x0c\1\0\0\0\1\0\0\0\0\0\0\0"),
	SAMPLE("hostile-length-over", "\x41\0\x10\0\1\1\0\0\0\1"),
	SAMPLE("hostile-length-max", "\x41\xff\xff\xff\xff\1\0\0\0\1"),
	SAMPLE("hostile-length-claim", "\x41\0\x10\0\0\1\0\0\0\1\0\0\0\0\0\0\0\0only this"),
	SAMPLE("hostile-version-0", "\x41\0\0\0\x0d\0\0\0\0\1\0\0\0\0\0\0\0\0"),
	SAMPLE("hostile-version-2", "\x41\0\0\0\x0d\2\0\0\0\1\0\0\0\0\0\0\0\0"),
	SAMPLE("hostile-sequence-max", "\x41\0\0\0\x0d\1\xff\xff\xff\xff\0\0\0\0\0\0\0\0"),
	SAMPLE("hostile-sum", "\x40\0\0\0\x0e\1\0\0\0\1\1\2\3\4\5\6\7\x08x"),
	SAMPLE("hostile-text", "\x41GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	SAMPLE("empty-payload", "\x41\0\0\0\x0d\1\0\0\0\1\0\0\0\0\0\0\0\0"),
};

/* Frames with these sequence numbers, the last one short of `missing` bytes. */
static void make_stream(const char *dir, const char *name, char mode, const uint32_t *sequences,
                        size_t n, size_t missing)
{
	AUTO_STR struct str s = {0};
	str_addc(&s, mode);
	for (size_t i = 0; i < n; i++) {
		AUTO_STR struct str payload = {0};
		struct msg m = {.kind = msg_kind_at(i % MSG_COUNT)};
		msg_encode(&m, &payload);
		frame_append(&s, sequences[i], payload.p, payload.len);
		memset(s.p + s.len - payload.len - 8, 0, 8);
	}
	save(dir, "frame", name, s.p, s.len - missing);
}

static void make_streams(const char *dir)
{
	static const uint32_t order[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
#define STREAM(name, mode, missing, ...)                                                          \
	make_stream(dir, name, mode, (const uint32_t[]){__VA_ARGS__},                             \
	            sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), missing)
	make_stream(dir, "all-kinds", 0x7f, order, MEM_COUNT(order), 0);
	make_stream(dir, "all-kinds-by-byte", 0x01, order, MEM_COUNT(order), 0);
	STREAM("one", 0x41, 0, 1);
	STREAM("hostile-replayed", 0x41, 0, 1, 1);
	STREAM("hostile-replayed-later", 0x41, 0, 1, 2, 3, 1);
	STREAM("hostile-skipped", 0x41, 0, 1, 3);
	STREAM("hostile-swapped", 0x41, 0, 2, 1);
	STREAM("hostile-from-0", 0x41, 0, 0, 1);
	STREAM("cut-1", 0x41, 1, 1, 2);
	STREAM("cut-in-head", 0x05, 20, 1, 2);
#undef STREAM
	for (size_t i = 0; i < MEM_COUNT(streams); i++)
		save(dir, "frame", streams[i].name, streams[i].bytes, streams[i].n);
}

int main(int argc, char **argv)
{
	struct test_rng rng = {1};
	if (argc != 2) {
		fprintf(stderr, "usage: %s DIR\n", argv[0]);
		return 2;
	}
	seal_init();
	make_messages(argv[1], &rng);
	make_streams(argv[1]);
	return 0;
}
