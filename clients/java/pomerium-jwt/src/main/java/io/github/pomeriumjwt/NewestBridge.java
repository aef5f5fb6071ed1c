package io.github.pomeriumjwt;

/** The best bridge of this Java version: up to 21 JNA. The folder java22 has this class for later ones. */
final class NewestBridge {
    private NewestBridge() {}

    /** As {@link JnaBridge#open}. */
    static Bridge open(String library) {
        return JnaBridge.open(library);
    }
}
