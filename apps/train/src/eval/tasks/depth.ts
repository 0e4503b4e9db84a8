/** Depth from a picture (NYUv2, paper Table 6): a probe learns the distance of every pixel from the tokens of several blocks. */
import { writeFileAtomic } from '@franca/checkpoint';
import { depthOutcomes, type EvalRecord, type Json } from '@franca/evals';
import type { ReportTable } from '@franca/viz';
import { type Command, Option } from 'commander';
import { TrainError } from '../../errors';
import type { DepthImages } from '../../image-sets/depth-set';
import { describePreparation } from '../../image-sets/preparation';
import { integerList, positiveInteger, positiveNumber } from '../../options/option-values';
import { checkOutputFile } from '../../options/outputs';
import type { EvalContext } from '../context';
import { costTable } from '../depth/cost-table';
import type { DepthPart } from '../depth/depth-part';
import { checkModel, type DepthPlan, type DepthPlanOptions, PROBES, PROTOCOL_NAMES, planDepth } from '../depth/depth-plan';
import { type DepthSize, depthSizes } from '../depth/depth-sizes';
import { type ProbedDepth, probeDepth } from '../depth/probe-depth';
import { shownDepths, shownIndices } from '../depth/shown-depths';
import { viewOf } from '../depth/view-of';
import { depthCost } from '../estimate/costs/depth';
import { hashNames } from '../evaluated-images';
import type { EvalResult, EvalTask } from '../task';

interface Options extends DepthPlanOptions {
  readonly depthScale?: number;
  readonly trainData?: string;
  readonly split?: string;
  readonly items?: string;
  readonly size?: number;
}

export const task: EvalTask = {
  name: 'depth',
  about: 'depth of every pixel by a probe on tokens of four blocks (NYUv2, paper Table 6)',
  reads: 'depth',
  order: 17,
  inAll: { probe: 'ridge' },
  rasa: { leftOut: 'its tokens are those before the final norm' },
  cost: depthCost,
  options: (command: Command) =>
    command
      .addOption(
        new Option(
          '--protocol <name>',
          "probe3d: as published with the paper, probe3d-2025: as changed since, dinov3: DINOv3's linear one, paper: probe3d at the paper's sizes, 224,480 (default: probe3d)",
        ).choices(PROTOCOL_NAMES),
      )
      .addOption(
        new Option(
          '--probe <name>',
          "what learns; ridge: in closed form, for a quick look (default: the protocol's, dpt)",
        ).choices(PROBES),
      )
      .option(
        '--sizes <list>',
        "shorter sides that pictures are shown at (default: the view's own, NYU's 480)",
        integerList,
      )
      .addOption(
        new Option('--crop <part>', 'the middle square or the whole picture (default: square)').choices([
          'square',
          'none',
        ]),
      )
      .option('--no-quirks', 'resize to whole patches, in place of zeros around that are predicted too, as in Probe3D')
      .option('--hidden <n>', 'channels of the DPT probe (default: 512)', positiveInteger)
      .option('--epochs <n>', "passes over train (default: the protocol's, 10)", positiveInteger)
      .option('--train-batch <n>', "pictures a step (default: the protocol's, 8)", positiveInteger)
      .option('--augment', 'random crops and colours of train, drawn anew for each epoch (default of probe3d)')
      .option('--no-augment', 'train pictures as they are, whose features are computed once')
      .option(
        '--train-data <data>',
        "what to learn from, if not the data's own part; also a folder of GeoNet's .mat files",
      )
      .option('--depth-scale <n>', 'of depth as PNG: units of a metre (default: 1000)', positiveNumber)
      .option('--items <file>', 'write one line of JSON for each test picture and size'),
  idle: ({ probe }) => {
    const where = probe === 'ridge' && 'beside --probe ridge';
    return { epochs: where, trainBatch: where, hidden: (where || probe === 'linear') && `beside --probe ${probe}` };
  },
  run,
};

async function run(context: EvalContext, options: Options): Promise<EvalResult> {
  const {
    items,
    size: shorter,
    sizes = shorter === undefined ? undefined : [shorter],
    depthScale,
    trainData,
    split,
  } = options;
  if (shorter !== undefined && options.sizes)
    throw new TrainError('usage', '--size and --sizes say the same; leave one of them out');
  const plan = planDepth({ ...options, sizes });
  if (items) await checkOutputFile(items);
  const part = await context.depth({ depthScale, trainData, split });
  const chosen = depthSizes(await viewOf(part.test, plan.sizes.crop), part.session.model.config.patchSize, plan.sizes);
  checkModel(part.session.weights, plan, chosen);
  const results: Result[] = [];
  const shown = shownIndices(part.test.length);
  for (const size of chosen) {
    const began = performance.now();
    const probed = await probeDepth(part, { plan, size, shown, backend: context.backend });
    results.push({
      size,
      probed,
      records: recordsOf(context, part, { plan, size, depthScale }, probed, performance.now() - began),
    });
  }
  if (items) await writeItems(items, part.test, results);
  const charts = [];
  for (const { size, probed } of results) {
    const figure = await shownDepths(part.test, size, probed.scored);
    if (figure) charts.push({ figure, caption: size.label });
  }
  return {
    records: results.flatMap(({ records }) => records),
    section: { text: ABOUT, charts, tables: [pictureTable(part.test, results), costTable(results, plan)] },
  };
}

const ABOUT =
  'A probe reads the frozen tokens of a picture and gives the distance of every pixel. SI-RMSE: the error in metres once a scale and a shift are fitted to each picture, so that ' +
  'only the shape counts; RMSE without. Both are means over pictures. Pixels without a reading, or farther than 10 m, are not looked at. All depths below share one scale of colours, all errors another.';

interface Result {
  readonly size: DepthSize;
  readonly probed: ProbedDepth;
  readonly records: readonly EvalRecord[];
}

interface Recorded {
  readonly plan: DepthPlan;
  readonly size: DepthSize;
  readonly depthScale: number | undefined;
}

function recordsOf(
  context: EvalContext,
  { train, test, session }: DepthPart,
  { plan, size, depthScale }: Recorded,
  { scored, losses, skipped, constant }: ProbedDepth,
  wallMs: number,
): EvalRecord[] {
  const { preparation, depthSize, label, note } = size;
  const { protocol, facts, head, hidden, epochs, batchSize, augment } = plan;
  const preprocessing = describePreparation(preparation);
  const hyper: Record<string, Json> = {
    crop: plan.sizes.crop,
    input: preparation.input.join(' x '),
    depthSize: depthSize.join(' x '),
    ...(depthScale !== undefined && { depthScale }),
    ...(head && { epochs: epochs ?? `${facts.steps} steps`, batchSize, learningRate: facts.learningRate, augment }),
    ...(head === 'dpt' && { hidden }),
    ...(head && losses.length > 0 && { firstLosses: losses.slice(0, 8), lastLoss: losses.at(-1)! }),
    ...(skipped > 0 && { batchesWithoutReading: skipped }),
    trainSet: `${train!.dataset} ${train!.split}`,
    trainImages: train!.length,
  };
  const outcomes = depthOutcomes(
    scored.map(({ metrics }) => metrics),
    {
      protocol: head ? protocol : 'ridge',
      ...(head && { head }),
      label,
      total: test.total,
      hyper,
      seeds: [0],
      isPaper: plan.asPaper && train!.isGeonet === true,
    },
  );
  if (outcomes.length === 0)
    throw new TrainError(
      'data',
      `no picture of ${test.dataset} ${test.split} has a reading of at most 10 m; is --depth-scale right?`,
    );
  const judged = scored.filter(({ metrics }) => metrics).map(({ index }) => test.key(index));
  const notes = [...test.notes, ...plan.notes, ...(note ? [note] : []), ...(head ? learntNotes(plan, train!) : [])];
  const set = { ...test, notes };
  const [rows, columns] = preparation.input.map((side) => side / session.model.config.patchSize);
  const input = preparation.input.every((side) => side === session.size) ? session.size : `${rows} x ${columns}`;
  return context.records(
    { set, preprocessing, size: input },
    outcomes.map((outcome) => ({
      ...outcome,
      wallMs: wallMs / outcomes.length,
      others: outcome.metric === 'RMSE' ? { ...outcome.others, ...constant } : outcome.others,
      quirks: preparation.sides.join() !== preparation.input.join(),
      ...(outcome.items && { items: { ...outcome.items, of: hashNames(judged) } }),
    })),
    () => test.total,
    [{ set: train!, preprocessing }],
  );
}

/** What the paper's probes learn from, where these do not. */
const learntNotes = ({ asPaper }: DepthPlan, { length, isGeonet }: DepthImages): string[] =>
  asPaper && !isGeonet ? [`learnt from ${length} pictures; Probe3D learns from GeoNet's frames (--train-data)`] : [];

async function writeItems(path: string, test: DepthImages, results: readonly Result[]): Promise<void> {
  await writeFileAtomic(path, async (sink) => {
    for (const { size, probed } of results)
      for (const { index, metrics } of probed.scored)
        await sink(Buffer.from(`${JSON.stringify({ picture: test.key(index), size: size.label, ...metrics })}\n`));
  });
}

const LISTED = 30;

/** The worst pictures first. */
function pictureTable(test: DepthImages, results: readonly Result[]): ReportTable {
  const rows = results.flatMap(({ size, probed }) =>
    probed.scored.flatMap(({ index, metrics }) =>
      metrics ? [{ key: test.key(index), size: size.label, metrics }] : [],
    ),
  );
  rows.sort((a, b) => b.metrics.siRmse - a.metrics.siRmse);
  const constants = results.flatMap(({ size: { label }, probed: { constant } }) =>
    Object.entries(constant).map(([name, error]) => `; ${name} at ${label}: ${shownNumber(error)} m`),
  );
  const what =
    rows.length > LISTED
      ? `the ${LISTED} pictures with the largest SI-RMSE of ${rows.length}`
      : 'pictures, the largest SI-RMSE first';
  return {
    caption: what + constants.join(''),
    columns: ['picture', 'size', 'SI-RMSE, m', 'RMSE, m', 'd1, %', 'SI-d1, %'],
    rows: rows
      .slice(0, LISTED)
      .map(({ key, size, metrics: { siRmse, rmse, d1, siD1 } }) =>
        [key, size, siRmse, rmse, 100 * d1, 100 * siD1].map(shownNumber),
      ),
  };
}

const shownNumber = (value: string | number): string => (typeof value === 'string' ? value : value.toPrecision(4));
