/** What of a reading the cache has already; nothing is computed. */
import type { FeatureSession } from '../../features/session';
import type { FeatureReading } from './task-cost';

/** Images of it that need not be computed. */
export async function heldInCache(session: FeatureSession, { set, options }: FeatureReading): Promise<number> {
  void session;
  void set;
  void options;
  return 0;
}
