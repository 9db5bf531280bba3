/* screen: a pseudo-terminal with an emulator behind it. */
#include "screen.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "test.h"

static void set_size(int fd, unsigned columns, unsigned rows)
{
	struct winsize w = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
	assert_int_equal(ioctl(fd, TIOCSWINSZ, &w), 0);
}

struct screen screen_new(unsigned columns, unsigned rows, bool reflows)
{
	struct screen s = {.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
	assert_true(s.master >= 0 && grantpt(s.master) == 0 && unlockpt(s.master) == 0);
	s.slave = open(ptsname(s.master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(s.slave >= 0);
	set_size(s.master, columns, rows);
	vt_init(&s.vt, columns, rows, reflows);
	return s;
}

void screen_fini(struct screen *s)
{
	if (s->master >= 0)
		close(s->master);
	close(s->slave);
	vt_fini(&s->vt);
	str_fini(&s->raw);
}

void screen_resize(struct screen *s, unsigned columns, unsigned rows)
{
	screen_catch_up(s); /* a terminal draws what it has before it is resized */
	set_size(s->master, columns, rows);
	vt_resize(&s->vt, columns, rows);
}

void screen_catch_up(struct screen *s)
{
	char chunk[4096];
	bool marked = false, last = false;

	/* The kernel passes bytes on when it likes: one that no view sends shows where the end is.
	 * What waits before it may fill the terminal, so its turn is when there is room. */
	str_clear(&s->raw);
	while (!last) {
		struct pollfd p[2] = {{.fd = s->master, .events = POLLIN},
		                      {.fd = s->slave, .events = marked ? 0 : POLLOUT}};
		assert_true(poll(p, 2, -1) > 0);
		if (p[1].revents & POLLOUT)
			marked = write(s->slave, "\x06", 1) == 1;
		if (!(p[0].revents & POLLIN))
			continue;
		ssize_t n = read(s->master, chunk, sizeof chunk);
		assert_true(n > 0);
		last = chunk[n - 1] == '\x06';
		str_addn(&s->raw, chunk, (size_t)(last ? n - 1 : n));
	}
	vt_feed(&s->vt, str_text(&s->raw), s->raw.len);
}
