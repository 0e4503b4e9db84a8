/** The whole configuration: the official sections and `franca:`. Strict: an unknown key is an error. */
import { z } from 'zod';
import { ownSection } from './franca-section';
import { officialSections } from './official';
import type { TrainConfig } from './train-config';

export const configSchema: z.ZodType<TrainConfig> = z.strictObject({ ...officialSections, franca: ownSection });
