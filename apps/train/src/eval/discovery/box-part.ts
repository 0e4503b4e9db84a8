/** Pictures with boxes, and the model that is to find objects in them. */
import type { FeatureSession } from '../../features/session';
import type { BoxSet } from '../../image-sets/box-set';
import { WHOLE_PICTURE } from '../../image-sets/whole-picture';
import type { Part } from '../part';

export interface BoxPart extends Part {
  readonly set: BoxSet;
  readonly session: FeatureSession;
}

export const boxPart = (session: FeatureSession, set: BoxSet): BoxPart => ({
  set,
  session,
  preprocessing: WHOLE_PICTURE,
  size: 'the grid of each picture',
});
