/*
 * Preloaded beside libcamera's virtual pipeline. It wants its buffers from /dev/udmabuf, which turns ordinary shared
 * memory into a buffer that hardware can use. There is no hardware here, and many a kernel is built without that device,
 * so the shared memory itself is handed back.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static int open_or_pretend(const char *symbol, const char *path, int flags, mode_t mode)
{
	int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, symbol);

	if (path && strcmp(path, "/dev/udmabuf") == 0)
		return memfd_create("pretended-udmabuf", MFD_CLOEXEC);
	return real_open(path, flags, mode);
}

static mode_t mode_of(int flags, va_list rest)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	mode_t mode = mode_of(flags, rest);
	va_end(rest);
	return open_or_pretend("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	mode_t mode = mode_of(flags, rest);
	va_end(rest);
	return open_or_pretend("open64", path, flags, mode);
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*real_ioctl)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
	va_list rest;
	va_start(rest, request);
	void *argument = va_arg(rest, void *);
	va_end(rest);

	if (request == UDMABUF_CREATE)
		return fcntl(((struct udmabuf_create *)argument)->memfd, F_DUPFD_CLOEXEC, 0);

	int answer = real_ioctl(fd, request, argument);
	/* Shared memory needs no flushing of caches, and says that it cannot do any. */
	if (answer < 0 && errno == ENOTTY && request == DMA_BUF_IOCTL_SYNC)
		return 0;
	return answer;
}
