/** Exports that only Behalf's other packages use. Internal: they change without notice, in any version. */
export { hasPossibleRoot, parseCheckpoint } from './checkpoint.js';
export { type Entry, parseEntry } from './entry.js';
export { emptyRoot, isConsistent, isIncluded, leafHash } from './merkle.js';
export { parseNote, type SignatureLine, signatureLineOf, verifySignatures } from './note.js';
export { parseLogs } from './policy.js';
export { parseProof, verifyLeaf } from './proof.js';
export { parseHash, parseSize } from './text.js';
export { parseBundle, tilePath, tilesOf } from './tiles.js';
export { parseVerifierKey } from './vkey.js';
