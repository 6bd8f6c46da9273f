import type { QueryPlannerConfig } from '@apollo/query-planner';

/** What a planner is made from. */
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
      /** By which the system tells the thread's processor time. */
      readonly threadId: string | undefined;
    }
  | {
      readonly kind: 'planned';
      /** JSON. */
      readonly plan: string;
    }
  | { readonly kind: 'failed'; readonly message: string };
