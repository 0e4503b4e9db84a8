/** What in-context segmentation costs: every patch of test is compared with every patch that is kept of train. */
import { inContextSegmentation } from '@franca/evals';
import { drawnShots } from '../../low-shot';
import { follow, type InContextValues, PAPER_IN_CONTEXT, type ProtocolOptions } from '../../paper-protocol';
import { SEARCH_BYTES } from '../../segmentation-features';
import { madeUpPatches, type PatchShape, repeated } from '../made-up';
import type { CostQuestion, TaskCost, Work } from '../task-cost';
import { floats, gridOf, patchesOf } from './readings';
import { searchBytes, searchWork } from './search';

export interface InContextCostOptions extends ProtocolOptions, Partial<InContextValues> {
  readonly shots?: readonly number[];
}

/** Sizes of the searches, one for each draw of train images. */
export interface InContextSizes {
  /** Patches of train that are kept, of all searches together. */
  readonly rows: number;
  /** Train images that pass by, of all searches together. */
  readonly passed: number;
  readonly searches: number;
}

/** `drawn`: images of each search. */
export function inContextSizes(
  { memory, passes = 1 }: Partial<InContextValues>,
  drawn: readonly number[],
  cells: number,
): InContextSizes {
  const kept = (images: number): number => {
    const each = memory ? Math.max(1, Math.floor(memory / (images * passes))) : cells;
    return images * passes * Math.min(each, cells);
  };
  return {
    rows: drawn.reduce((sum, images) => sum + kept(images), 0),
    passed: drawn.reduce((sum, images) => sum + images * passes, 0),
    searches: drawn.length,
  };
}

/** Bytes of labels of a kept patch, which seldom has more than two classes. */
const LABEL_BYTES = 16;

export async function inContextCost(question: CostQuestion, options: InContextCostOptions): Promise<TaskCost> {
  const { session, backend, context, sets } = question;
  const { protocol, shots } = options;
  const asked = { task: 'in-context', protocol, paper: PAPER_IN_CONTEXT, given: options, input: context.input() };
  const { values, look } = follow(asked);
  const { train, test } = await sets('dense');
  const dim = session.model.config.embedDim;
  const grid = gridOf(session);
  const cells = grid[0] * grid[1];
  const groups = shots ? await drawnShots(train, shots) : [];
  const drawn = shots ? groups.flatMap((group) => group.shots.map(({ images }) => images.length)) : [train.length];
  const sizes = inContextSizes(values, drawn, cells);
  const queries = test.length * cells;
  const k = values.neighbours ?? 30;
  const shape: PatchShape = { dim, grid, side: session.size, classes: train.classes.length };
  const search = { name: 'search', rows: sizes.rows, queries, dim, k };
  const reading = patchesOf(session, train, look);
  const heldRows = Math.min(queries, Math.floor(SEARCH_BYTES / (4 * dim)));
  return {
    reads: [values.passes ? { ...reading, fresh: sizes.passed } : reading, patchesOf(session, test, look)],
    work: [searchWork(backend, search), ...pictureWork(question, shape, { ...sizes, queried: test.length, k })],
    held: {
      host: 2 * floats(heldRows, dim) + LABEL_BYTES * (sizes.rows / sizes.searches) + test.length * session.size ** 2,
      device: searchBytes(heldRows, dim, k),
    },
  };
}

/** What each picture of train and of test takes besides. */
function pictureWork(
  { backend }: CostQuestion,
  shape: PatchShape,
  { passed, searches, queried, k }: InContextSizes & { readonly queried: number; readonly k: number },
): Work[] {
  const run = (train: number, test: number): Promise<unknown> =>
    inContextSegmentation(repeated(madeUpPatches(1, shape), train), repeated(madeUpPatches(1, shape, 1), test), {
      ...{ backend, k, classes: shape.classes, predictions: 1 },
    });
  return [
    { name: 'labels of train', units: passed, trial: (scale) => ({ units: scale, run: () => run(scale, 1) }) },
    { name: 'maps of test', units: searches * queried, trial: (scale) => ({ units: scale, run: () => run(1, scale) }) },
  ];
}
