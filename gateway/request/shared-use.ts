import type { SharedPlanning } from '../plan/query-plans.js';

/** Resources that all operations of one HTTP request have used together. */
export interface SharedUse extends SharedPlanning {
  /** Lexical tokens of the texts that were parsed. */
  tokens: number;
}
