import type { Stage } from '../stage';
import { ceilings } from './ceilings';
import { doctor } from './doctor';
import { products } from './products';
import { profile } from './profile';
import { smoke } from './smoke';
import { step } from './step';
import { tests } from './tests';
import { train } from './train';

/** In the order in which they run; the first one decides whether there are others. */
export const STAGES: readonly Stage[] = [doctor, smoke, ceilings, products, step, profile, train, tests];
