export { type Submitted, type WitnessedCheckpoint, Witnesses } from './ask-witnesses.js';
export { WitnessError, type WitnessErrorCode, witnessErrors } from './errors.js';
export { type RunningWitness, startWitness, type WitnessOptions } from './witness.js';
