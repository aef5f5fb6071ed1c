package io.github.pomeriumjwt;

import java.lang.ref.Cleaner;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Verifies Pomerium's tokens. Make one per application and share it between threads.
 *
 * <p>Calls answer at once when they can. If keys have to be fetched first, all callers wait for one fetch on a thread of
 * its own, at most for the option {@code timeout}; virtual threads leave their carrier meanwhile. Interrupting a waiting
 * thread ends its wait with KEYS_UNAVAILABLE, whose cause is the InterruptedException; the thread stays interrupted.
 * {@link #admitAsync} and {@link #verifyAsync} never wait.
 *
 * <p>After {@link #close} every method throws {@link VerifyException} with INVALID_ARGUMENT.
 */
public final class Verifier implements AutoCloseable {
    /** A net for those who forget to close. */
    private static final Cleaner CLEANER = Cleaner.create();

    private final Bridge bridge;
    private final Handle handle;
    private final Cleaner.Cleanable cleanable;
    private final KeyRefreshes refreshes;
    private final @Nullable String warning;
    private final String summary;
    private final String headerName;

    /** The refreshes of one set of keys, which verifiers made by {@link #with} share. */
    private record KeyRefreshes(Refreshes wanted, Refreshes forced) {}

    private Verifier(Bridge.Answer made, @Nullable KeyRefreshes shared, @Nullable String warning) {
        bridge = Library.bridge();
        if (made.code() != 0) {
            throw failure(made);
        }
        handle = new Handle(made.value());
        cleanable = CLEANER.register(this, handle);
        refreshes = shared != null ? shared : new KeyRefreshes(new Refreshes(), new Refreshes());
        this.warning = warning;
        Members description = Members.read(text(bridge.describe(made.value())));
        summary = description.text("summary");
        headerName = description.text("header_name");
    }

    /** Of the handle alone, so that a refresh does not keep a forgotten verifier. */
    private static Runnable work(Handle handle, boolean force) {
        return () -> refresh(handle, force);
    }

    /**
     * Makes a verifier for the application with this route: its {@code from:} URL in Pomerium.
     *
     * @throws VerifyException as {@link #of}
     */
    public static Verifier forRoute(String route) {
        return of(Options.builder().route(route).build());
    }

    /**
     * Makes a verifier. Touches no network; files named in the options are read now.
     *
     * @throws VerifyException INVALID_OPTIONS, in a sentence that says what to write instead; INTERNAL if the native
     *     library cannot be loaded
     */
    public static Verifier of(Options options) {
        return new Verifier(Library.bridge().create(utf8(options.toJson())), null, null);
    }

    /**
     * Makes a verifier with the options of the environment, POMERIUM_JWT_ROUTE and so on: lists are separated by commas,
     * objects are JSON, an empty variable counts as not set.
     *
     * @throws VerifyException INVALID_OPTIONS, in a sentence that names the variable
     */
    public static Verifier fromEnv() {
        return overEnv(Options.builder().build());
    }

    /**
     * Lays options given in code over those of the environment, so that operators can add a demand: code wins, option by
     * option, and a key source in code replaces the environment's. See {@link #warning}.
     *
     * @throws VerifyException as {@link #of}
     */
    public static Verifier overEnv(Options options) {
        Bridge bridge = Library.bridge();
        Bridge.Answer merged = bridge.optionsOverEnv(utf8(options.toJson()));
        return new Verifier(bridge.create(utf8(text(merged))), null, merged.claims());
    }

    /**
     * Makes a verifier with other request options over the same keys, pins and counts: for two mounts of one application.
     * What is not set stays as it is here. Close both, in any order.
     *
     * @throws VerifyException INVALID_OPTIONS, in a sentence that says what to write instead
     */
    public Verifier with(RequestOptions options) {
        return new Verifier(call(pointer -> bridge.with(pointer, utf8(options.toJson()))), refreshes, warning);
    }

    /**
     * Decides whether a request gets in: what every integration calls, and where all rules about requests are.
     *
     * @throws VerifyException if it does not; status, headers and body are the response
     */
    public Admission admit(Request request) {
        return admission(judged(judgement(request)));
    }

    /**
     * As {@link #admit}, for threads that must not wait, such as those of an event loop: answers in this thread if no keys
     * have to be fetched first, otherwise later. Cancelling it ends no fetch.
     *
     * @param executor runs what comes after a fetch, your own continuations included
     * @return fails with VerifyException if the request does not get in
     */
    public CompletableFuture<Admission> admitAsync(Request request, Executor executor) {
        return judgedLater(judgement(request), this::admission, executor);
    }

    private Judgement judgement(Request request) {
        byte[] token = utf8(request.token());
        byte[] path = utf8(request.path());
        int flags = (request.upgrade() ? Bridge.UPGRADE : 0) | (request.markedPublic() ? Bridge.MARKED_PUBLIC : 0);
        return (pointer, ticket) -> bridge.admit(pointer, token, path, flags, ticket);
    }

    private Admission admission(Bridge.Answer answer) {
        if (answer.code() == Bridge.PASSED) {
            return Admission.PASSED;
        }
        if (answer.code() != 0) {
            throw Responses.refusal(answer);
        }
        return Admission.of(identity(answer));
    }

    /**
     * Says who sent this token: the raw text of the header, several values joined by commas (which is refused); null or
     * empty if there was none.
     *
     * @throws VerifyException if it is refused
     */
    public Identity verify(@Nullable String token) {
        return verified(judged(judgement(token)));
    }

    /**
     * As {@link #verify}, for threads that must not wait: see {@link #admitAsync}.
     *
     * @param executor runs what comes after a fetch, your own continuations included
     * @return fails with VerifyException if the token is refused
     */
    public CompletableFuture<Identity> verifyAsync(@Nullable String token, Executor executor) {
        return judgedLater(judgement(token), this::verified, executor);
    }

    private Judgement judgement(@Nullable String token) {
        byte[] text = utf8(token);
        return (pointer, ticket) -> bridge.verify(pointer, text, ticket);
    }

    private Identity verified(Bridge.Answer answer) {
        if (answer.code() != 0) {
            throw refusal(answer);
        }
        return identity(answer);
    }

    /**
     * As {@link #verify}, at the time {@code now} instead of the clock's. Uses the keys at hand, fetches none and pins
     * nothing.
     *
     * @throws VerifyException if it is refused
     */
    public Identity verifyAt(@Nullable String token, Instant now) {
        return verified(call(pointer -> bridge.verifyAt(pointer, utf8(token), now.getEpochSecond())));
    }

    /**
     * Brings the keys up to date: joins a fetch that is running or starts one that is due, and waits for it.
     *
     * @throws VerifyException KEYS_UNAVAILABLE if that failed
     */
    public void refresh() {
        waitFor(refreshes.wanted(), false);
    }

    /**
     * Fetches the keys at once, at most once a second, and waits for that: for warming up and for operators.
     *
     * @throws VerifyException KEYS_UNAVAILABLE if that failed
     */
    public void forceRefresh() {
        waitFor(refreshes.forced(), true);
    }

    /** The state of keys, pins and counters. Never waits. While no usable key is loaded it starts a fetch that is due. */
    public Status status() {
        return Status.of(statusJson());
    }

    String statusJson() {
        return text(call(bridge::status));
    }

    /** Whether this instance can verify, for health pages. Of a closed verifier: nothing is. */
    public Health health() {
        return handle.isClosed() ? new Health(false, false, false, false) : status().health();
    }

    /**
     * The counters and the age of the keys for a monitoring system, in the format of OpenMetrics 1.0: Content-Type
     * {@code application/openmetrics-text; version=1.0.0; charset=utf-8}. Holds no user, path or token.
     */
    public String metrics() {
        return text(call(bridge::metrics));
    }

    /**
     * The line to log at start: what is accepted, where the keys come from, which header, and the request options that are
     * set.
     */
    public String summary() {
        return summary;
    }

    /** The request header that carries the token. */
    public String headerName() {
        return headerName;
    }

    /** A warning to log at start, if {@link #overEnv} had options in code that override variables of the environment. */
    public Optional<String> warning() {
        return Optional.ofNullable(warning);
    }

    /**
     * Frees the keys, after the calls that run. Closing again does nothing. An application that uses its verifier to its
     * end need not close it.
     */
    @Override
    public void close() {
        cleanable.clean();
    }

    /**
     * Where a user signs out of Pomerium, a path of the application's own host.
     *
     * @param returnTo the URL to go to afterwards, null for none: Pomerium 0.33 and later follows it only with its runtime
     *     flag {@code allow_any_sign_out_redirect_uri}, otherwise {@code signout_redirect_url} in Pomerium's settings
     *     decides
     */
    public static String logoutUrl(@Nullable String returnTo) {
        String path = "/.pomerium/sign_out";
        if (returnTo == null || returnTo.isEmpty()) {
            return path;
        }
        // A space as %20, which is right in every part of a URL
        return path + "?pomerium_redirect_uri=" + URLEncoder.encode(returnTo, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** A call that may be asked to come again with a ticket. */
    private interface Judgement {
        Bridge.Answer ask(long pointer, long ticket);
    }

    /** Asks twice if keys are needed first: with the ticket the answer is final, and says why there are none. */
    private Bridge.Answer judged(Judgement judgement) {
        Bridge.Answer first = call(pointer -> judgement.ask(pointer, 0));
        if (first.code() != ErrorCode.KEYS_NEEDED.number()) {
            return first;
        }
        try {
            refreshes.wanted().joinNew(work(handle, false));
        } catch (InterruptedException interrupted) {
            throw givenUp(interrupted);
        }
        return call(pointer -> judgement.ask(pointer, first.value()));
    }

    /** As {@link #judged}, for a thread that must not wait. */
    private <T> CompletableFuture<T> judgedLater(
            Judgement judgement, Function<Bridge.Answer, T> meaning, Executor executor) {
        Objects.requireNonNull(executor, "executor");
        CompletableFuture<T> outcome = new CompletableFuture<>();
        try {
            Bridge.Answer first = call(pointer -> judgement.ask(pointer, 0));
            if (first.code() != ErrorCode.KEYS_NEEDED.number()) {
                outcome.complete(meaning.apply(first));
                return outcome;
            }
            refreshes.wanted().afterNew(work(handle, false))
                    .thenApplyAsync(ended -> meaning.apply(call(pointer -> judgement.ask(pointer, first.value()))), executor)
                    .whenComplete((value, failure) -> end(outcome, value, failure));
        } catch (VerifyException refusal) {
            outcome.completeExceptionally(refusal);
        }
        return outcome;
    }

    private static <T> void end(CompletableFuture<T> outcome, T value, @Nullable Throwable failure) {
        if (failure == null) {
            outcome.complete(value);
        } else {
            outcome.completeExceptionally(failure instanceof CompletionException wrapped ? wrapped.getCause() : failure);
        }
    }

    private void waitFor(Refreshes refresh, boolean force) {
        try {
            refresh.join(work(handle, force));
        } catch (InterruptedException interrupted) {
            throw givenUp(interrupted);
        }
    }

    private VerifyException givenUp(InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        String reason = "the wait for keys was given up: the thread was interrupted";
        return new VerifyException(ErrorCode.KEYS_UNAVAILABLE, reason, retryAfter(handle), null, interrupted);
    }

    private static void refresh(Handle handle, boolean force) {
        Bridge bridge = Library.bridge();
        Bridge.Answer answer = call(handle, pointer -> bridge.refresh(pointer, force));
        if (answer.code() != 0) {
            throw refusal(handle, answer);
        }
    }

    private Bridge.Answer call(LongFunction<Bridge.Answer> call) {
        return call(handle, call);
    }

    private static Bridge.Answer call(Handle handle, LongFunction<Bridge.Answer> call) {
        long pointer = handle.enter();
        try {
            return call.apply(pointer);
        } finally {
            handle.leave();
        }
    }

    private VerifyException refusal(Bridge.Answer failed) {
        return refusal(handle, failed);
    }

    /** A refusal that says when to come again. */
    private static VerifyException refusal(Handle handle, Bridge.Answer failed) {
        VerifyException refused = failure(failed);
        if (refused.kind() != ErrorKind.KEYS) {
            return refused;
        }
        return new VerifyException(refused.code(), refused.reason(), retryAfter(handle), null, null);
    }

    private static @Nullable Duration retryAfter(Handle handle) {
        if (handle.isClosed()) {
            return null;
        }
        Bridge bridge = Library.bridge();
        return Members.read(text(call(handle, bridge::status))).seconds("next_attempt");
    }

    private static VerifyException failure(Bridge.Answer failed) {
        return new VerifyException(ErrorCode.of(failed.code()), failed.output() == null ? "" : failed.output());
    }

    private static String text(Bridge.Answer answer) {
        if (answer.code() != 0 || answer.output() == null) {
            throw failure(answer);
        }
        return answer.output();
    }

    private static Identity identity(Bridge.Answer answer) {
        return new Identity(text(answer), answer.claims() == null ? "{}" : answer.claims());
    }

    private static byte[] utf8(@Nullable String text) {
        return text == null ? new byte[0] : text.getBytes(StandardCharsets.UTF_8);
    }
}
