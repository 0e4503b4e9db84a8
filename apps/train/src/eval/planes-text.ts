/** Planes of RASA that are removed from the output, for cache keys of what is made of it: they are no part of the weights' identity. */
import { createHash } from 'node:crypto';
import type { FeatureSession } from '../features/session';

export function planesText({ weights: { rasa } }: FeatureSession): string {
  if (rasa.planes.length === 0) return '';
  const numbers = JSON.stringify(rasa.planes.map((basis) => basis.map((row) => Array.from(row))));
  return ` without planes ${createHash('sha256').update(numbers).digest('hex')}`;
}
