import type { QueryPlannerConfig } from '@apollo/query-planner';

/** The input of a planner. */
export interface PlannerData {
  readonly supergraphSdl: string;
  readonly config: QueryPlannerConfig;
}

export interface PlanRequest {
  readonly text: string;
  readonly operationName: string | undefined;
}

export type PlannerMessage =
  | {
      readonly kind: 'ready';
      /** The system's id of the thread, for reading its processor time. */
      readonly threadId: string | undefined;
    }
  | {
      readonly kind: 'planned';
      /** JSON. */
      readonly plan: string;
    }
  | { readonly kind: 'failed'; readonly message: string };
