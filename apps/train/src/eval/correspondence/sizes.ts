/**
 * At which sizes pairs are matched. The paper's Table 6 has a low and a high resolution without saying which: 224 px, the size that most of its
 * models were trained at, and 800 px, Probe3D's own.
 */
import { TrainError } from '../../errors';
import { type PerhapsAlone, requireSides } from '../../features/output-alone';

/** One size of the pictures. */
export interface MatchSize {
  /** Side that the padded picture is resized to. */
  readonly side: number;
  /** Side of the model's input; larger than `side` where zeros stand around the picture. */
  readonly input: number;
  /** In the variant of the record: `low` and `high` are the paper's. */
  readonly label: string;
  /** What differs from what was asked for, in words. */
  readonly note: string | undefined;
}

export interface SizeOptions {
  /** Sides in pixels. */
  readonly sizes?: readonly number[] | undefined;
  readonly protocol?: 'paper' | undefined;
  /** Zeros around a picture of no whole patches, as Probe3D has them. */
  readonly quirks?: boolean | undefined;
}

const PAPER_SIZES = { low: 224, high: 800 } as const;

/**
 * The sizes that are asked for, else the model's own side and, where it takes others, twice that, as whole patches.
 * @throws TrainError `usage` where two of them come to the same; `data` where the model takes others alone
 */
export function matchSizes(
  { size, patchSize, outputAlone }: { readonly size: number; readonly patchSize: number } & PerhapsAlone,
  { sizes, protocol, quirks = false }: SizeOptions,
): MatchSize[] {
  const usual = outputAlone?.side === undefined ? [size, 2 * size] : [size];
  const asked = sizes ?? (protocol === 'paper' ? Object.values(PAPER_SIZES) : usual);
  const chosen = asked.map((side) => sizeOf(side, patchSize, quirks));
  requireSides(
    { outputAlone },
    chosen.map(({ input }) => [input, input] as const),
  );
  const twice = chosen.find(({ side, input }, at) =>
    chosen.slice(0, at).some((other) => other.side === side && other.input === input),
  );
  if (twice)
    throw new TrainError('usage', `--sizes ${asked.join(',')}: two of them are ${twice.side} px in whole patches`);
  return chosen;
}

function sizeOf(asked: number, patchSize: number, quirks: boolean): MatchSize {
  const label = Object.entries(PAPER_SIZES).find(([, side]) => side === asked)?.[0];
  if (asked % patchSize === 0) return { side: asked, input: asked, label: label ?? `${asked} px`, note: undefined };
  if (quirks) {
    const input = Math.ceil(asked / patchSize) * patchSize;
    const note = `${asked} px are no whole patches of ${patchSize}: zeros around to ${input} px, and positions are not corrected for that, as in Probe3D`;
    return { side: asked, input, label: label ?? `${asked} px`, note };
  }
  const side = Math.max(1, Math.round(asked / patchSize)) * patchSize;
  const note = `${asked} px are no whole patches of ${patchSize}: ${side} px are taken`;
  return { side, input: side, label: label ?? `${side} px`, note };
}
