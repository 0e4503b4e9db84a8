/** How labels are carried from frame to frame: what can be set, and the settings of DINO and DINOv3. */
import type { OptionKinds } from '@franca/tensor';
import { checkOption, checkOptions } from '../errors';

/** How labels are carried from frame to frame. */
export interface PropagationOptions {
  /** Previous frames that are asked beside the first; default 7. */
  readonly context?: number;
  /** How far from its own place a token looks in every source, in tokens; default 12. */
  readonly radius?: number;
  /** Shape of that neighbourhood; default `square`. */
  readonly neighbourhood?: 'square' | 'circle';
  /** Tokens of all sources together that a token takes its labels from; equal ones are kept together. Default 5. */
  readonly topK?: number;
  /** Of the softmax over their cosines; default 0.1. */
  readonly temperature?: number;
}

const OPTIONS: OptionKinds<PropagationOptions> = {
  context: 'number',
  radius: 'number',
  neighbourhood: ['square', 'circle'],
  topK: 'number',
  temperature: 'number',
};

/** DINO's settings on DAVIS-2017, the defaults. */
export const DINO_PROPAGATION: Required<PropagationOptions> = {
  context: 7,
  radius: 12,
  neighbourhood: 'square',
  topK: 5,
  temperature: 0.1,
};

/** DINOv3's settings. */
export const DINOV3_PROPAGATION: Required<PropagationOptions> = {
  context: 7,
  radius: 12,
  neighbourhood: 'circle',
  topK: 5,
  temperature: 0.2,
};

/**
 * Settings with DINO's where others are not given.
 * @throws EvalsError `options`
 */
export function propagationSettings(what: string, options: PropagationOptions): Required<PropagationOptions> {
  checkOptions(what, options, OPTIONS);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: Required<PropagationOptions> = { ...DINO_PROPAGATION, ...given };
  for (const [name, least] of [
    ['context', 0],
    ['radius', 1],
    ['topK', 1],
  ] as const)
    checkOption(
      Number.isInteger(settings[name]) && settings[name] >= least,
      `${what}: ${name} is ${settings[name]}; it must be a whole number from ${least}`,
    );
  const { temperature } = settings;
  checkOption(
    temperature > 0 && Number.isFinite(temperature),
    `${what}: temperature is ${temperature}; it must be above 0`,
  );
  return settings;
}
