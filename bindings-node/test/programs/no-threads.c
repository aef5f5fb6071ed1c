/* Preloaded: while the environment variable NO_THREADS is set, the system gives no thread. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
    if (getenv("NO_THREADS"))
        return EAGAIN;
    create *original = (create *)dlsym(RTLD_NEXT, "pthread_create");
    return original(thread, attributes, start, argument);
}
