/* A clock that is wrong by CLOCK_AHEAD seconds, for a program that is started with this preloaded. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *now)
{
	long code = syscall(SYS_clock_gettime, id, now);
	const char *ahead = getenv("CLOCK_AHEAD");

	if (code == 0 && id == CLOCK_REALTIME && ahead)
		now->tv_sec += atol(ahead);
	return (int)code;
}
