/** Pictures with depth, to learn from and to test on, and the model that is probed. */
import type { FeatureSession } from '../../features/session';
import type { DepthImages, DepthSet } from '../../image-sets/depth-set';

export interface DepthPart {
  readonly session: FeatureSession;
  /** Absent where the data have nothing to learn from. */
  readonly train?: DepthImages;
  readonly test: DepthImages;
}

export const depthPart = (session: FeatureSession, { train, test }: DepthSet): DepthPart => ({
  session,
  ...(train && { train }),
  test,
});
