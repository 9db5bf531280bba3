/* Fuzz target: taking secrets out of a stream. The first byte of an input says how large the pieces
 * are, the next line is a value, the rest is the stream. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/base/str.h"
#include "worker/secret.h"

static void append(void *ctx, const char *bytes, size_t n)
{
	str_addn(ctx, bytes, n);
}

static void clean(const struct secret_set *set, const char *p, size_t n, size_t piece, struct str *out)
{
	struct secret_stream *s = secret_stream_new(set, true, append, out);

	for (size_t i = 0; i < n; i += piece)
		secret_stream_put(s, p + i, piece < n - i ? piece : n - i);
	secret_stream_end(s);
	str_add(out, "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO_STR struct str whole = {0}, pieces = {0};

	if (n < 2)
		return 0;
	const char *p = (const char *)data + 1, *line = memchr(p, '\n', n - 1);
	const char *rest = line ? line + 1 : p;
	size_t n_rest = n - (size_t)(rest - (const char *)data);
	AUTO_FREE char *value = mem_strndup(p, line ? (size_t)(line - p) : 0);
	struct secret_set *set = secret_set_new();

	secret_set_add(set, "FUZZ", value);
	clean(set, rest, n_rest, n_rest + 1, &whole);
	clean(set, rest, n_rest, 1 + data[0] % 64, &pieces);
	assert(whole.len == pieces.len);
	assert(memcmp(whole.p, pieces.p, whole.len) == 0);
	/* A value as long as those of variables cannot come out of what is left and the marks. */
	size_t from = strspn(value, " \t\r\n"), len = strlen(value);
	while (len > from && strchr(" \t\r\n", value[len - 1]))
		len--;
	value[len] = '\0';
	if (len - from >= SECRET_MIN && !strpbrk(value + from, "[]"))
		assert(strstr("[redacted]", value + from) ||
		       !memmem(whole.p, whole.len, value + from, len - from));
	secret_set_free(set);
	return 0;
}
