/**
 * What bundlers for edge runtimes find instead of each module, by the `exports` of package.json. They print the name of a
 * module that they cannot find, so this one's is the sentence that helps.
 */

require(
  'pomerium-jwt needs Node.js and does not run on an edge runtime. In Next.js leave out runtime = "edge", and have ' +
    'instrumentation.js import it only if process.env.NEXT_RUNTIME is "nodejs"',
)
