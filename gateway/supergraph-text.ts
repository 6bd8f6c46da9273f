import { pathInsteadOf, text } from '@behalf/directives/internal';
import type { Check } from '@behalf/directives/internal';

/** Wherever a program gives a supergraph as text. */
export const supergraphText: Check = (value) =>
  text(value) ?? pathInsteadOf('the text of the supergraph', String(value));
