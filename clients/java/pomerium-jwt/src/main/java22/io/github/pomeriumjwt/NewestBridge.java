package io.github.pomeriumjwt;

/** The best bridge of this Java version: from 22 the Foreign Function & Memory API, unless told otherwise. */
final class NewestBridge {
    private NewestBridge() {}

    /** As {@link FfmBridge#open}. */
    static Bridge open(String library) {
        return "jna".equals(System.getProperty(Library.BRIDGE)) ? JnaBridge.open(library) : FfmBridge.open(library);
    }
}
