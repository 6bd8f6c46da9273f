/**
 * oidc-provider warns of every Node older than 22 when it is loaded. Behalf supports Node 20 (`engines`) and runs all tests of
 * the authority on it, so that a newcomer need not wonder. On any other Node the warning is shown, and so is every other one.
 */
const EXPECTED = 'oidc-provider WARNING: Unsupported runtime.';
const IS_SUPPORTED = process.versions.node.startsWith('20.');

const { warn } = console;

if (IS_SUPPORTED) {
  console.warn = (...words: unknown[]) => {
    if (typeof words[0] === 'string' && words[0].includes(EXPECTED)) return;
    warn.apply(console, words);
  };
}

/** To be called as soon as oidc-provider is loaded. */
export function endExpectedWarning(): void {
  console.warn = warn;
}
