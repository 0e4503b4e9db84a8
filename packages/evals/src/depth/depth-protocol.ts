/**
 * The published ways to probe depth, by name, as data. Probe3D changed in November 2025, after the papers that used it: its DPT head took the nearest neighbour where
 * it enlarges, every bilinear resize had half-pixel centres, and the gradient loss sliced the batch and the channel in place of rows and columns, which
 * compares the depths of different pictures. Both forms are here.
 *
 * - `probe3d`: as published with the paper;
 * - `probe3d-2025`: as changed since, all corners aligned;
 * - `dinov3`: DINOv3's linear protocol: batch norm and one linear layer on the last block's tokens, its own form of SigLoss, one long cycle.
 *
 * Sources: github.com/mbanani/probe3d (`train_depth.py`, `evals/utils`), github.com/facebookresearch/dinov3 (`dinov3/eval/depth`).
 */
import { checkArgument, checkOption, EvalsError } from '../errors';

export type DepthProtocol = 'probe3d' | 'probe3d-2025' | 'dinov3';
export type DepthHead = 'dpt' | 'linear';

export const DEPTH_PROTOCOLS: readonly DepthProtocol[] = ['probe3d', 'probe3d-2025', 'dinov3'];

/** What a protocol asks of the features and of the images; the rest is in the training. */
export interface DepthProtocolFacts {
  readonly heads: readonly DepthHead[];
  /** Blocks that are read: four at even intervals, or the last. */
  readonly blocks: 'four' | 'last';
  /** Whether tokens come after the final norm, and whether each is joined with the CLS token. */
  readonly finalNorm: boolean;
  readonly joinCls: boolean;
  readonly batchSize: number;
  readonly learningRate: number;
  /** Epochs, or steps however many epochs these are. */
  readonly epochs?: number;
  readonly steps?: number;
  /** Whether images that do not fill the last batch of an epoch are left out. */
  readonly dropLast: boolean;
  /** Whether a prediction is the mean of that of the picture and of its mirror image. */
  readonly flip: boolean;
}

const PROBE3D: DepthProtocolFacts = {
  heads: ['dpt', 'linear'],
  blocks: 'four',
  finalNorm: false,
  joinCls: true,
  batchSize: 8,
  learningRate: 5e-4,
  epochs: 10,
  dropLast: false,
  flip: false,
};

const FACTS: Readonly<Record<DepthProtocol, DepthProtocolFacts>> = {
  probe3d: PROBE3D,
  'probe3d-2025': PROBE3D,
  dinov3: {
    heads: ['linear'],
    blocks: 'last',
    finalNorm: true,
    joinCls: false,
    batchSize: 16,
    learningRate: 3e-4,
    steps: 38_400,
    dropLast: true,
    flip: true,
  },
};

/** @throws EvalsError `argument` for a protocol that there is not */
export function depthProtocol(protocol: DepthProtocol): DepthProtocolFacts {
  checkArgument('depthProtocol', 'protocol', protocol, DEPTH_PROTOCOLS);
  return FACTS[protocol];
}

/** Metres that a prediction can be. */
export const DEPTH_RANGE = [0.001, 10] as const;

/**
 * The measured depth that a protocol judges a prediction by: a new map with 0 for every other pixel. Probe3D leaves out what is farther than 10 m; DINOv3 what is not
 * strictly between 1 mm and 10 m, and all outside Eigen's crop (rows 45 to 471 and columns 41 to 601 of 480 x 640, scaled to other extents).
 *
 * @param truth metres `[rows * cols]`, 0 where there is no reading
 * @throws EvalsError `argument` or `options`
 */
export function judgedDepth(
  protocol: DepthProtocol,
  truth: Float32Array,
  size: readonly [rows: number, cols: number],
): Float32Array {
  checkArgument('judgedDepth', 'protocol', protocol, DEPTH_PROTOCOLS);
  checkArgument('judgedDepth', 'truth', truth, 'Float32Array');
  checkArgument('judgedDepth', 'size', size, 'numbers');
  checkOption(
    size.length === 2 && size[0] * size[1] === truth.length,
    `judgedDepth: ${truth.length} depths are no map of ${size.join(' x ')}`,
  );
  const [near, far] = DEPTH_RANGE;
  if (protocol !== 'dinov3') return truth.map((depth) => (depth > 0 && depth <= far ? depth : 0));
  const [top, bottom] = [45, 471].map((row) => Math.trunc((row / 480) * size[0])) as [number, number];
  const [left, right] = [41, 601].map((col) => Math.trunc((col / 640) * size[1])) as [number, number];
  return truth.map((depth, i) => {
    const [row, col] = [Math.floor(i / size[1]), i % size[1]];
    const inside = row >= top && row < bottom && col >= left && col < right;
    return inside && depth > near && depth < far ? depth : 0;
  });
}

/** Metres beyond which training takes a reading for none: DINOv3 looks at all of them, though its bins end at 10 m. */
export const farthest = (protocol: DepthProtocol): number =>
  protocol === 'dinov3' ? Number.POSITIVE_INFINITY : DEPTH_RANGE[1];

/** @throws EvalsError `options` for a head that the protocol has not */
export function checkHead(what: string, protocol: DepthProtocol, head: DepthHead): void {
  const { heads } = depthProtocol(protocol);
  if (!heads.includes(head))
    throw new EvalsError('options', `${what}: ${protocol} has no head ${head}; its heads are ${heads.join(', ')}`);
}
