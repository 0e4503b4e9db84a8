/** The whole configuration: the official sections and `franca:`. Strict: an unknown key is an error. */
import { z } from 'zod';
import { officialSections } from './official';
import { ownSection } from './own';
import type { TrainConfig } from './train-config';

export const configSchema: z.ZodType<TrainConfig> = z.strictObject({ ...officialSections, franca: ownSection });
