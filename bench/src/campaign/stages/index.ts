import type { Stage } from '../stage';
import { doctor } from './doctor';
import { tests } from './tests';
import { train } from './train';

/** In the order in which they run; the first one decides whether there are others. */
export const STAGES: readonly Stage[] = [doctor, train, tests];
