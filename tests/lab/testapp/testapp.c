/*
 * The release under test: a small HTTP/1.1 server whose good and bad manners are chosen by its
 * environment. One thread per connection, kept-alive connections, nothing but libc.
 *
 *   RELEASE          name answered in the body, in X-Release and in /health
 *   MODE             healthy | slow-start | flapping | crash | never-healthy
 *                    | erring (/health is good, all else 500) | dying (exits at the 20th request)
 *   TERM             on SIGTERM: graceful (finish what runs, then exit) | rude (exit at once)
 *   START_DELAY_S    slow-start: seconds until /health answers 200 (default 3)
 *   HEALTH_PATH_404  1: /health does not exist
 *   PORT             default 3001
 *
 * `testapp migrate ok|held|fail|slow` is no server but a release command: it says what it does, adds
 * a line with RELEASE to the file MIGRATIONS if that is set, and ends with status 0, with 0 once it
 * has had SIGUSR1, with 3, or only when it is asked to.
 *
 * Paths: / answers the release; /slow?s=N does so after N seconds; /health answers JSON; POST is
 * accepted anywhere, and POST /break and POST /mend turn /health bad and good at run time; POST /mend
 * ends a slow start as well.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_MAX = 16384, CONNECTIONS_MAX = 4096, STACK_BYTES = 131072 };

struct request {
    char method[16];
    char target[1024];
    long body_bytes;
    int close;
};

static const char *release, *mode;
static int graceful, health_is_404;
static double start_delay_s, started_s;
static atomic_int broken, mended, health_asked, requested, stopping;

/* Every open connection, so that SIGTERM can end the idle ones and wait for the others. */
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t table_changed = PTHREAD_COND_INITIALIZER;
static struct { int fd, open, busy; } table[CONNECTIONS_MAX];
static int open_count;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void say(const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    line[n] = '\n';
    if (write(STDERR_FILENO, line, (size_t)n + 1) < 0) { /* nobody reads the log: no harm */ }
}

static const char *setting(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

static int table_add(int fd)
{
    int slot = -1;
    pthread_mutex_lock(&table_lock);
    for (int i = 0; i < CONNECTIONS_MAX && slot < 0; i++)
        if (!table[i].open)
            slot = i;
    if (slot >= 0) {
        table[slot].fd = fd;
        table[slot].open = 1;
        table[slot].busy = 0;
        open_count++;
    }
    pthread_mutex_unlock(&table_lock);
    return slot;
}

static void table_remove(int slot)
{
    pthread_mutex_lock(&table_lock);
    close(table[slot].fd);
    table[slot].open = 0;
    open_count--;
    pthread_cond_signal(&table_changed);
    pthread_mutex_unlock(&table_lock);
}

/* Mark a connection busy or idle. An idle one is not wanted any more once SIGTERM came. */
static int table_mark(int slot, int busy)
{
    pthread_mutex_lock(&table_lock);
    table[slot].busy = busy;
    int wanted = busy || !stopping;
    pthread_mutex_unlock(&table_lock);
    return wanted;
}

/* Read the head of a request into `buffer`; say how long it is, 0 at the end of the stream. */
static size_t read_head(int fd, char *buffer, size_t *filled, int slot)
{
    for (;;) {
        buffer[*filled] = 0;
        char *end = strstr(buffer, "\r\n\r\n");
        if (end)
            return (size_t)(end - buffer) + 4;
        if (*filled >= REQUEST_MAX)
            return 0;
        ssize_t n = recv(fd, buffer + *filled, REQUEST_MAX - *filled, 0);
        if (n <= 0)
            return 0;
        *filled += (size_t)n;
        table_mark(slot, 1);
    }
}

static int parse(const char *head, struct request *request)
{
    memset(request, 0, sizeof *request);
    if (sscanf(head, "%15s %1023s", request->method, request->target) != 2)
        return 0;
    request->close = strstr(head, "HTTP/1.0\r\n") != NULL;
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (!strncasecmp(line + 2, "content-length:", 15))
            request->body_bytes = atol(line + 17);
        if (!strncasecmp(line + 2, "connection: close", 17))
            request->close = 1;
    }
    return 1;
}

/* Drop the head and the body of the request from the buffer, reading what is still to come. */
static int skip_request(int fd, char *buffer, size_t *filled, size_t head, long body)
{
    size_t wanted = head + (size_t)body;
    while (*filled < wanted) {
        wanted -= *filled;
        ssize_t n = recv(fd, buffer, REQUEST_MAX, 0);
        if (n <= 0)
            return 0;
        *filled = (size_t)n;
    }
    memmove(buffer, buffer + wanted, *filled - wanted);
    *filled -= wanted;
    return 1;
}

static int not_ready(void)
{
    if (!strcmp(mode, "slow-start"))
        return !mended && now_s() - started_s < start_delay_s;
    return !strcmp(mode, "never-healthy") || broken;
}

static int answer_health(char *body, size_t size)
{
    if (health_is_404)
        return 404;
    const char *reason = NULL;
    int status = 200;
    if (not_ready()) {
        status = 503;
        reason = broken ? "broken by POST /break"
            : !strcmp(mode, "slow-start") ? "still starting" : "database: connection refused";
    } else if (!strcmp(mode, "flapping") && atomic_fetch_add(&health_asked, 1) % 2) {
        status = 500;
        reason = "flapping";
    }
    if (reason)
        snprintf(body, size, "{\"status\":\"unhealthy\",\"release\":\"%s\",\"reason\":\"%s\"}",
                 release, reason);
    else
        snprintf(body, size, "{\"status\":\"ok\",\"release\":\"%s\"}", release);
    return status;
}

/* Traffic that is sent here before the app is healthy must show: it gets a 503. */
static int answer(const struct request *request, char *body, size_t size)
{
    int is_post = !strcmp(request->method, "POST");
    snprintf(body, size, "not found");
    if (!strncmp(request->target, "/health", 7))
        return answer_health(body, size);
    if (is_post && !strcmp(request->target, "/break"))
        broken = 1;
    if (is_post && !strcmp(request->target, "/mend"))
        broken = 0, mended = 1;
    if (!strncmp(request->target, "/slow?s=", 8))
        usleep((useconds_t)(atof(request->target + 8) * 1e6));
    else if (!is_post && strcmp(request->target, "/"))
        return 404;
    if (!strcmp(mode, "dying") && atomic_fetch_add(&requested, 1) == 19) {
        say("%s: fatal: out of memory", release);
        _exit(3);
    }
    snprintf(body, size, "%s", release);
    if (!strcmp(mode, "erring"))
        return 500;
    return not_ready() && !broken ? 503 : 200;
}

static int respond(int fd, const struct request *request, int status, const char *body, int last)
{
    static const struct { int code; const char *text; } texts[] = {
        {200, "OK"}, {404, "Not Found"}, {500, "Internal Server Error"},
        {503, "Service Unavailable"}};
    const char *text = "";
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].code == status)
            text = texts[i].text;
    char out[2048];
    int n = snprintf(out, sizeof out,
                     "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                     "X-Release: %s\r\n%s\r\n%s",
                     status, text, *body == '{' ? "application/json" : "text/plain", strlen(body),
                     release, last ? "Connection: close\r\n" : "",
                     strcmp(request->method, "HEAD") ? body : "");
    return send(fd, out, (size_t)n, MSG_NOSIGNAL) == n;
}

static void *serve(void *argument)
{
    int slot = (int)(long)argument, fd = table[slot].fd, go_on = 1;
    char buffer[REQUEST_MAX + 1], body[512];
    size_t filled = 0, head;
    struct request request;
    while (go_on && (head = read_head(fd, buffer, &filled, slot)) && parse(buffer, &request)) {
        if (!skip_request(fd, buffer, &filled, head, request.body_bytes))
            break;
        int status = answer(&request, body, sizeof body);
        int last = request.close || stopping;
        go_on = respond(fd, &request, status, body, last) && !last;
        go_on = table_mark(slot, filled > 0) && go_on;
    }
    table_remove(slot);
    return NULL;
}

static void finish_requests(int listener)
{
    shutdown(listener, SHUT_RDWR);
    pthread_mutex_lock(&table_lock);
    for (int i = 0; i < CONNECTIONS_MAX; i++)
        if (table[i].open && !table[i].busy)
            shutdown(table[i].fd, SHUT_RDWR);
    while (open_count)
        pthread_cond_wait(&table_changed, &table_lock);
    pthread_mutex_unlock(&table_lock);
}

/* A thread takes the signal: PID 1 has no default action for it. */
static void *await_term(void *argument)
{
    sigset_t *signals = ((void **)argument)[0];
    int listener = *(int *)((void **)argument)[1], number;
    sigwait(signals, &number);
    stopping = 1;
    say("%s: signal %d, stopping (%s), %d connections open", release, number,
        graceful ? "graceful" : "rude", open_count);
    if (graceful)
        finish_requests(listener);
    say("%s: exit 0", release);
    _exit(0);
}

static int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) {
        say("fatal: port %d: %s", port, strerror(errno));
        exit(1);
    }
    return fd;
}

static void crash(void)
{
    say("starting %s", release);
    say("fatal: cannot read configuration: /app/config.json: no such file");
    say("exiting with status 3");
    exit(3);
}

static void accept_for_ever(int listener)
{
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_BYTES);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
    while (!stopping) {
        pthread_t thread;
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        int slot = table_add(fd);
        if (slot < 0)
            close(fd);
        else if (pthread_create(&thread, &small, serve, (void *)(long)slot))
            table_remove(slot);
    }
}

static void on_term(int number)
{
    (void)number;
    say("migration stopped");
    _exit(143);
}

static volatile sig_atomic_t may_go_on;

static void on_usr1(int number)
{
    (void)number;
    may_go_on = 1;
}

static int migrate(const char *how)
{
    signal(SIGTERM, on_term);
    signal(SIGUSR1, on_usr1);
    say("%s: migrating (%s)", release, setting("NOTE", "no note"));
    const char *name = setting("MIGRATIONS", "");
    FILE *file = *name ? fopen(name, "a") : NULL;
    if (*name && (!file || fprintf(file, "%s\n", release) < 0 || fclose(file))) {
        say("cannot write %s", name);
        return 4;
    }
    while (!strcmp(how, "slow"))
        pause();
    if (!strcmp(how, "held")) {
        while (!may_go_on)
            usleep(20000);
        how = "ok";
    }
    fputs(strcmp(how, "ok") ? "no such table" : "all tables are there", stderr); /* no newline */
    return strcmp(how, "ok") ? 3 : 0;
}

int main(int count, char **words)
{
    release = setting("RELEASE", "unnamed");
    if (count == 3 && !strcmp(words[1], "migrate"))
        return migrate(words[2]);
    mode = setting("MODE", "healthy");
    graceful = strcmp(setting("TERM", "graceful"), "rude") != 0;
    health_is_404 = !strcmp(setting("HEALTH_PATH_404", "0"), "1");
    start_delay_s = atof(setting("START_DELAY_S", "3"));
    started_s = now_s();
    if (!strcmp(mode, "crash"))
        crash();

    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);

    int port = atoi(setting("PORT", "3001")), listener = listen_on(port);
    pthread_t thread;
    pthread_create(&thread, NULL, await_term, (void *[]){&signals, &listener});
    say("%s: listening on port %d (%s)", release, port, mode);
    accept_for_ever(listener);
    for (;;)
        pause(); /* await_term ends the process */
}
