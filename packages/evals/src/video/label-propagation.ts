/**
 * Label propagation: the mask of a video's first frame is carried through all others by the features alone, without training, as DINO (Caron et al., 2021)
 * evaluates on DAVIS-2017 after Jabri et al. (2020), and as DINOv3 does.
 *
 * Each frame takes its labels from the first one and from up to `context` frames before it, which carry the soft maps that were found for them
 * (`carryLabels` is one step). A frame comes, its tokens are brought to unit norm once, and what is older than the context is forgotten: memory holds
 * context + 1 frames however long the video is, and one more for each frame that objects are added in.
 */
import type { EvalBackend } from '../backend/eval-backend';
import { checkSet, PATCHES } from '../check-features';
import { checkArgument, checkBackend, EvalsError } from '../errors';
import { imageCount, type PatchFeatures, patchTokens } from '../features';
import { type Matrix, normaliseRows } from '../matrix';
import { carryLabels, type Source } from './carry-labels';
import { type PropagationOptions, propagationSettings } from './propagation-settings';

/** A frame whose labels are known. */
export interface LabelledFrame {
  /** Tokens of one picture. */
  readonly features: PatchFeatures;
  /** `[N, objects + 1]`, background first; objects that come later have a channel of zeros. */
  readonly maps: Float32Array;
}

/** Labels on their way through a video; disposing of it lets go of the frames. */
export interface LabelPropagation extends Disposable {
  /**
   * Labels of the next frame, soft `[N, objects + 1]`. One call after the other.
   * @throws EvalsError `features` for those of another grid, width or number of pictures, `argument` while a call is under way
   */
  next(features: PatchFeatures): Promise<Float32Array>;
  /**
   * Says where objects are that come in the frame that `next` was last called for: `given` `[N, objects + 1]` is one-hot, as `firstFrameMaps` makes it of
   * a mask with nothing but these objects. Tokens on them get the given row, the others keep theirs. From then on the frame is a source for good, like the first.
   * @returns the labels of that frame, as they are now
   * @throws EvalsError `labels` for maps of another size, `argument` before the first call of `next`
   */
  add(given: Float32Array): Float32Array;
}

/**
 * Begins with the first frame of a video and its mask.
 * @throws EvalsError `argument`, `features`, `labels` for maps of another size, or `options`
 */
export function openLabelPropagation(
  backend: EvalBackend,
  first: LabelledFrame,
  options: PropagationOptions = {},
): LabelPropagation {
  checkBackend('openLabelPropagation', backend);
  checkArgument('openLabelPropagation', 'first', first, 'object');
  const settings = propagationSettings('openLabelPropagation', options);
  const start = unitTokens('openLabelPropagation: first.features', first.features);
  const { grid, dim } = first.features;
  const lasting: Source[] = [
    { tokens: start, maps: checkedMaps('openLabelPropagation: first.maps', first.maps, start.rows) },
  ];
  const recent: Source[] = [];
  const channels = lasting[0]!.maps.length / start.rows;
  let last: Source | undefined;
  let isBusy = false;

  async function next(features: PatchFeatures): Promise<Float32Array> {
    const tokens = unitTokens('next: features', features);
    if (features.dim !== dim || features.grid.join() !== grid.join())
      throw new EvalsError(
        'features',
        `next: features of ${features.grid.join(' x ')} tokens of width ${features.dim}; the first frame has ${grid.join(' x ')} of ${dim}`,
      );
    if (lasting.length === 0)
      throw new EvalsError('argument', 'next: the propagation has been disposed of; open another');
    if (isBusy) throw new EvalsError('argument', 'next: the last call is under way; await it');
    isBusy = true;
    try {
      last = { tokens, maps: await carryLabels(backend, tokens, [...lasting, ...recent], grid, settings) };
    } finally {
      isBusy = false;
    }
    recent.push(last);
    if (recent.length > settings.context) recent.shift();
    return last.maps.slice();
  }

  function add(given: Float32Array): Float32Array {
    if (!last)
      throw new EvalsError(
        'argument',
        'add: there is no frame yet; give the objects of the first frame to openLabelPropagation',
      );
    const maps = checkedMaps('add: given', given, start.rows, channels);
    // a token with an object
    for (let at = 0; at < maps.length; at += channels)
      if (maps[at] === 0) last.maps.set(maps.subarray(at, at + channels), at);
    if (!lasting.includes(last)) lasting.push(last);
    if (recent.at(-1) === last) recent.pop();
    return last.maps.slice();
  }

  return {
    next,
    add,
    [Symbol.dispose]() {
      last = undefined;
      lasting.length = 0;
      recent.length = 0;
    },
  };
}

/** Tokens of one picture at unit norm `[N, D]`. */
function unitTokens(what: string, features: PatchFeatures): Matrix {
  checkSet(what, features, PATCHES);
  const tokens = patchTokens(features);
  if (imageCount(features) !== 1)
    throw new EvalsError('features', `${what}: they are of ${imageCount(features)} pictures; give one frame at a time`);
  return normaliseRows(tokens);
}

/** A copy of maps `[N, channels]`, which have a background and an object at least. */
function checkedMaps(what: string, maps: Float32Array, tokens: number, channels?: number): Float32Array {
  checkArgument(what.split(':')[0]!, what.split(': ')[1]!, maps, 'Float32Array');
  const count = maps.length / tokens;
  if (!Number.isInteger(count) || count < 2 || count !== (channels ?? count))
    throw new EvalsError(
      'labels',
      `${what}: ${maps.length} values for ${tokens} tokens; each needs ${channels ?? 'one for the background and one for each object'}`,
    );
  if (!maps.every(Number.isFinite)) throw new EvalsError('labels', `${what}: a value is not finite`);
  return maps.slice();
}
