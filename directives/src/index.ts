export type { ActorClaim, ConsentClaim, Delegation, DetailLevel } from './claims/delegation.js';
export {
  TXN_TOKEN_ALGORITHM,
  TXN_TOKEN_HEADER,
  TXN_TOKEN_TYPE,
  type RequesterContext,
  type TransactionContext,
  type TxnTokenClaims,
} from './claims/txn-token.js';
export {
  FACTS_EXTENSION,
  type AccessDecision,
  type FactsExtension,
  type FieldAccess,
  type FieldAccessTuple,
} from './record/facts.js';
