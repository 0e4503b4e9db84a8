/**
 * At which sizes depth is probed. The paper's Table 6 has a low and a high resolution without saying which: 224 px, which most of its models were trained at, and
 * 480 px, the side of NYU's middle squares, which Probe3D never resizes. Whatever the model is shown, depth is compared at the size of the view itself.
 */
import { TrainError } from '../../errors';
import type { DepthView } from '../../image-sets/depth-view';
import { type DepthPreparation, type Sides, wholePatches } from '../../image-sets/preparation';

/** One size of the pictures. */
export interface DepthSize {
  readonly preparation: DepthPreparation;
  /** Depth maps. */
  readonly depthSize: Sides;
  /** In the variant of the record: `low` and `high` are the paper's. */
  readonly label: string;
  /** What differs from what was asked for, in words. */
  readonly note: string | undefined;
}

export interface DepthSizeOptions {
  /** Shorter sides in pixels; default that of the view. */
  readonly sizes?: readonly number[] | undefined;
  readonly crop?: DepthView['crop'] | undefined;
  /** Zeros around a view of no whole patches, whose prediction is then squeezed, as in Probe3D; default true. */
  readonly quirks?: boolean | undefined;
}

export const PAPER_SIZES = { low: 224, high: 480 } as const;

/** @throws TrainError `usage` where two of the sizes come to the same */
export function depthSizes(
  view: { readonly picture: Sides; readonly depth: Sides },
  patchSize: number,
  { sizes, crop = 'square', quirks = true }: DepthSizeOptions,
): DepthSize[] {
  const asked = sizes ?? [Math.min(...view.picture)];
  const chosen = asked.map((side) => sizeOf(side, view, patchSize, { crop, quirks }));
  const inputs = chosen.map(({ preparation: { sides, input } }) => `${sides} in ${input}`);
  if (new Set(inputs).size < inputs.length)
    throw new TrainError('usage', `--sizes ${asked.join(',')}: two of them are the same in whole patches`);
  return chosen;
}

function sizeOf(
  shorter: number,
  { picture, depth }: { readonly picture: Sides; readonly depth: Sides },
  patchSize: number,
  { crop, quirks }: { readonly crop: DepthView['crop']; readonly quirks: boolean },
): DepthSize {
  const scale = shorter / Math.min(...picture);
  const asked = both(picture, (side) => Math.round(side * scale));
  const label = Object.entries(PAPER_SIZES).find(([, side]) => side === shorter)?.[0] ?? `${shorter} px`;
  const padded = both(asked, (side) => Math.ceil(side / patchSize) * patchSize);
  const plain = { kind: 'depth', view: { crop }, flip: false } as const;
  if (padded.join() === asked.join())
    return { preparation: { ...plain, sides: asked, input: asked }, depthSize: depth, label, note: undefined };
  const text = `${asked[1]} x ${asked[0]} px are no whole patches of ${patchSize}`;
  if (quirks) {
    const note = `${text}: zeros around to ${padded[1]} x ${padded[0]}, and the prediction of all that is squeezed to the view, as in Probe3D`;
    return { preparation: { ...plain, sides: asked, input: padded }, depthSize: depth, label, note };
  }
  const whole = both(asked, (side) => wholePatches(side, patchSize));
  const note = `${text}: ${whole[1]} x ${whole[0]} are taken`;
  return { preparation: { ...plain, sides: whole, input: whole }, depthSize: depth, label, note };
}

const both = ([rows, columns]: Sides, of: (side: number) => number): Sides => [of(rows), of(columns)];
