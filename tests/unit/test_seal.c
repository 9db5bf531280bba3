/* Hashes: known answers, and that nothing can be moved, cut or swapped without changing them. */
#include "test.h"

#include "store/seal.h"

static void known_answers(void **state)
{
	(void)state;
	char hash[SEAL_HEX];
	seal_hash(hash, "abc", 3); /* b2sum -l 256 */
	assert_string_equal(hash, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
	seal_hash(hash, "", 0);
	assert_string_equal(hash, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

/* What is stored must hash the same in every later version. */
static void stored_forms_do_not_change(void **state)
{
	(void)state;
	char hash[SEAL_HEX], expected[SEAL_HEX];
	const char *const pieces[] = {"ab", "c"};
	seal_hash_pieces(hash, pieces, 2);
	seal_hash(expected, "\2\0\0\0\0\0\0\0ab\1\0\0\0\0\0\0\0c", 19);
	assert_string_equal(hash, expected);
	seal_genesis(hash, "a1b2c3", "deadbeef");
	seal_hash(expected,
	          "\14\0\0\0\0\0\0\0bosk-genesis\6\0\0\0\0\0\0\0a1b2c3\10\0\0\0\0\0\0\0deadbeef", 50);
	assert_string_equal(hash, expected);
	seal_link(hash, "prev", "rec\0rd", 6);
	seal_hash(expected, "\13\0\0\0\0\0\0\0bosk-result\4\0\0\0\0\0\0\0prev\6\0\0\0\0\0\0\0rec\0rd",
	          45);
	assert_string_equal(hash, expected);
}

static void pieces_do_not_run_together(void **state)
{
	(void)state;
	const char *const a[] = {"ab", "c"}, *const b[] = {"a", "bc"}, *const c[] = {"abc", ""};
	char x[SEAL_HEX], y[SEAL_HEX];
	seal_hash_pieces(x, a, 2);
	seal_hash_pieces(y, b, 2);
	assert_string_not_equal(x, y);
	seal_hash_pieces(y, c, 2);
	assert_string_not_equal(x, y);
	seal_hash_pieces(y, c, 1);
	assert_string_not_equal(x, y);
}

static void a_chain_shows_a_changed_or_missing_link(void **state)
{
	(void)state;
	char genesis[SEAL_HEX], a[SEAL_HEX], b[SEAL_HEX], c[SEAL_HEX];
	seal_genesis(genesis, "a1b2c3", "base");
	seal_genesis(a, "a1b2c", "3base");
	assert_string_not_equal(genesis, a);
	seal_link(a, genesis, "one", 3);
	seal_link(b, a, "two", 3);
	seal_link(c, genesis, "two", 3); /* "one" left out */
	assert_string_not_equal(b, c);
	seal_link(c, genesis, "onf", 3);
	assert_string_not_equal(a, c);
	seal_link(c, genesis, "one", 3);
	assert_string_equal(a, c);
}

static void a_frame_sum_sees_every_bit_and_the_seed(void **state)
{
	(void)state;
	unsigned char frame[64];
	seal_random(frame, sizeof frame);
	uint64_t sum = seal_sum64(frame, sizeof frame, 7);
	assert_true(sum == seal_sum64(frame, sizeof frame, 7));
	assert_true(sum != seal_sum64(frame, sizeof frame, 8));
	assert_true(seal_slot("a", 1) == seal_slot("a", 1) && seal_slot("a", 1) != seal_slot("b", 1));
	assert_true(sum != seal_sum64(frame, sizeof frame - 1, 7));
	for (size_t bit = 0; bit < 8 * sizeof frame; bit++) {
		frame[bit / 8] ^= (unsigned char)(1u << bit % 8);
		assert_true(sum != seal_sum64(frame, sizeof frame, 7));
		frame[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	assert_true(seal_sum64("", 0, 0) == seal_sum64(NULL, 0, 0));
}

static void session_ids_are_six_hex_digits(void **state)
{
	(void)state;
	char sid[SEAL_SID], other[SEAL_SID];
	int different = 0;
	for (int i = 0; i < 100; i++) {
		seal_sid(sid);
		assert_int_equal(strlen(sid), 6);
		assert_int_equal(strspn(sid, "0123456789abcdef"), 6);
		seal_sid(other);
		different += strcmp(sid, other) != 0;
	}
	assert_true(different > 90);
	assert_true(strlen(seal_version()) > 0);
}

static void bytes_in_parts_are_the_same_bytes(void **state)
{
	(void)state;
	char whole[SEAL_HEX], parts[SEAL_HEX];
	struct seal_parts *p = seal_parts_new();

	seal_parts_add(p, "ab", 2);
	seal_parts_add(p, "", 0);
	seal_parts_add(p, "cde", 3);
	seal_parts_end(parts, p);
	seal_hash(whole, "abcde", 5);
	assert_string_equal(parts, whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(bytes_in_parts_are_the_same_bytes),
		cmocka_unit_test(stored_forms_do_not_change),
		cmocka_unit_test(pieces_do_not_run_together),
		cmocka_unit_test(a_chain_shows_a_changed_or_missing_link),
		cmocka_unit_test(a_frame_sum_sees_every_bit_and_the_seed),
		cmocka_unit_test(session_ids_are_six_hex_digits),
	};
	seal_init();
	seal_init();
	return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
