/** What objects are followed with: the protocol's settings, and what of them is asked for otherwise. */
import { DINO_PROPAGATION, DINOV3_PROPAGATION, type PropagationOptions } from '@franca/evals';
import { TrainError } from '../../errors';
import { type FrameLook, sizeNote, type VideoProtocol } from '../../image-sets/frame-input';

export interface SettingOptions {
  readonly protocol?: VideoProtocol;
  /** Short sides in pixels. */
  readonly sizes?: readonly number[];
  /** The one short side. */
  readonly size?: number;
  readonly context?: number;
  readonly radius?: number;
  readonly topK?: number;
  readonly temperature?: number;
}

export interface VideoSetting {
  readonly look: FrameLook;
  readonly propagation: Required<PropagationOptions>;
  /** What of it was asked for. */
  readonly asked: PropagationOptions;
  /** What is not as in the protocol, in words. */
  readonly differences: readonly string[];
  /** What of the protocol's sizes no model of such patches can have, in words. */
  readonly note: string | undefined;
}

const PRESETS: Readonly<Record<VideoProtocol, Required<PropagationOptions>>> = {
  dino: DINO_PROPAGATION,
  dinov3: DINOV3_PROPAGATION,
};

/** Short sides that a protocol was published with, its default first. */
const PUBLISHED_SIDES: Readonly<Record<VideoProtocol, readonly number[]>> = { dino: [480], dinov3: [480, 960, 1440] };

/**
 * One setting for each short side, in their order.
 * @param usual short side where none is asked for; undefined: the protocol's
 * @throws TrainError `usage` where sides are given twice
 */
export function settingsOf(
  { protocol = 'dino', sizes, size, context, radius, topK, temperature }: SettingOptions,
  patchSize: number,
  usual?: number,
): VideoSetting[] {
  if (sizes && size !== undefined) throw new TrainError('usage', 'give --size or --sizes, not both');
  const sides = sizes ?? [size ?? usual ?? PUBLISHED_SIDES[protocol][0]!];
  if (new Set(sides).size < sides.length) throw new TrainError('usage', `--sizes ${sides.join()} has a side twice`);
  const asked: PropagationOptions = Object.fromEntries(
    Object.entries({ context, radius, topK, temperature }).filter(([, value]) => value !== undefined),
  );
  return sides.map((shortSide) => {
    const look = { protocol, shortSide, patchSize };
    const published = PUBLISHED_SIDES[protocol];
    const differences = published.includes(shortSide)
      ? []
      : [`short side ${shortSide} in place of ${published.join(', ')}`];
    return { look, propagation: { ...PRESETS[protocol], ...asked }, asked, differences, note: sizeNote(look) };
  });
}
