/** `franca-train eval <task>`: one evaluation of a checkpoint, or all of them. */
import { basename, join, resolve } from 'node:path';
import type { EvalBackend } from '@franca/evals';
import { type Command, Option } from 'commander';
import { examples } from '../command-line';
import { chooseBackend } from '../eval/backend';
import { openContext } from '../eval/context';
import { type EstimateOptions, runEstimate } from '../eval/estimate/run-estimate';
import { findTasks } from '../eval/find-tasks';
import { CONTROLLED } from '../eval/glance';
import { refuseIdle } from '../eval/idle-options';
import { finish, type OutputOptions, runTasks } from '../eval/run';
import { type ContextOptions, shareSets } from '../eval/shared-sets';
import type { EvalTask } from '../eval/task';
import { chosenData, dataOfRun } from '../features/data-of-run';
import { type OpenFeatures, openFeatures } from '../features/files/find-features';
import { parseWeights, UNTRAINED } from '../features/find-weights';
import { placeOfOutputs } from '../features/place-of-outputs';
import { type FeatureSession, openSession, type SessionOptions, withWeightsAndImages } from '../features/session';
import { isBoxData } from '../image-sets/box-set';
import { isDepthData } from '../image-sets/depth-layouts';
import type { SetLimits, TestedPart } from '../image-sets/image-set';
import type { MaskValues } from '../image-sets/mask-values';
import { isPairData } from '../image-sets/pair-layouts';
import { defaultSize, wholePatches } from '../image-sets/preparation';
import type { SegmentationOptions } from '../image-sets/segmentation-layout';
import { isSegmentationData } from '../image-sets/segmentation-set';
import { isVideoData } from '../image-sets/video-layouts';
import { index, indexList, positiveInteger, positiveShare, trainTest } from '../options/option-values';
import { checkOutputFile } from '../options/outputs';
import { runBeforeAndAfter } from '../rasa/before-and-after';
import { programCommand } from '../text/program';

interface Options extends SessionOptions, OutputOptions, MaskValues, SegmentationOptions {
  readonly data?: string;
  readonly denseData?: string;
  readonly pairData?: string;
  readonly pairs?: number;
  readonly boxData?: string;
  readonly boxImages?: number;
  readonly videoData?: string;
  readonly videos?: number;
  readonly depthData?: string;
  readonly depthImages?: SetLimits;
  readonly dataset?: string;
  readonly images?: SetLimits;
  readonly denseImages?: SetLimits;
  readonly resize?: number;
  /** A part of images; the name of another thing where a task reads pairs. */
  readonly split?: string;
  readonly control: boolean;
  readonly estimate?: true;
}

/** Adds the command and, below it, one for each task. */
export async function register(program: Command): Promise<void> {
  const tasks = await findTasks();
  const group = program
    .command('eval')
    .description('evaluate a checkpoint: k-NN, linear probe, segmentation, ...')
    .addHelpText(
      'after',
      examples([
        ['franca-train eval knn -w vitb14.pth -d imagenet', 'one evaluation'],
        ['franca-train eval in-context -w run -d VOC2012 --json voc.json', 'with its record as JSON'],
        ['franca-train eval all -w run', 'all of them on the data of the run: one table, one page'],
        ['franca-train eval knn -w random:run', 'the control: the same model untrained, on the same images'],
        ['franca-train eval knn -w train.npz,test.npz', 'features from elsewhere, with labels in their files'],
      ]),
    );
  for (const task of tasks) {
    const command = group.command(task.name).description(task.about);
    const reading = task.reads === 'nothing' ? command : withData(withWeightsAndImages(command), task);
    const model = task.reads === 'nothing' ? [] : ['-w run'];
    const data = task.reads === 'published' ? ['-d datasets'] : [];
    const usage = ['franca-train eval', task.name, ...model, ...data].join(' ');
    withOutput(task.options(reading))
      .addHelpText('after', examples([[`${usage} --json ${task.name}.json`, 'with its records as JSON']]))
      .action((options: Options, { parent }: Command) => runOne(task, options, wordsOf(parent)));
  }
  const all = withWeightsAndImages(
    group.command('all').description('RASA and every evaluation, ending in one table and one HTML page'),
  );
  all.addHelpText(
    'after',
    examples([['franca-train eval all -w run --json run/evals.json', 'page, table and records']]),
  );
  withOutput(
    withMasks(withLimits(withResize(withSplit(all), 'images'), '2000,500'))
      .option('-d, --data <data>', 'images with classes (default: the data of the run, else the generated world)')
      .option('--dense-data <data>', 'images with masks (default: --data where it has masks, else the generated world)')
      .addOption(limitOption('--dense-images', 'at most so many images with masks', '200,100'))
      .option('--pair-data <data>', 'pairs of pictures (default: --data where it has pairs, else the generated world)')
      .addOption(pairsOption('100'))
      .option('--box-data <data>', 'pictures with boxes (default: --data where it has boxes, else the generated world)')
      .option('--box-images <n>', 'at most so many pictures with boxes, evenly spaced', positiveInteger, 40)
      .option(
        '--video-data <data>',
        'videos with masks (default: --data where it has videos, else the generated world)',
      )
      .option('--videos <n>', 'at most so many videos, evenly spaced', positiveInteger, 2)
      .option(
        '--depth-data <data>',
        'pictures with depth (default: --data where it has depth, else the generated world)',
      )
      .addOption(limitOption('--depth-images', 'at most so many pictures with depth', '100,40'))
      .option('--no-control', 'leave out the untrained model beside it'),
  ).action((options: Options, { parent }: Command) =>
    runAll(tasks.filter(({ alone }) => !alone).map(quickened), options, wordsOf(parent)),
  );
}

/** The evaluation as all of them together run it. */
const quickened = (task: EvalTask): EvalTask => ({
  ...task,
  run: (context, options) => task.run(context, { ...task.inAll, ...options }),
  ...(task.cost && { cost: (question, options) => task.cost!(question, { ...task.inAll, ...options }) }),
});

/** What was written on the command line, without `--estimate`: the command that runs what is estimated. */
const wordsOf = (group: Command | null): string[] => group!.parent!.args.filter((word) => word !== '--estimate');

const DATA_HELP: Readonly<Record<EvalTask['reads'], string>> = {
  images: 'any images, or "world"',
  labelled: 'images with classes: class folders, shards, hf://owner/name, world, ...',
  published: 'the folder that the sets lie in, each as its authors pack it: Food-101, CIFAR-10, CIFAR-100, SUN397, ...',
  patches: 'any images, or "world"',
  depth:
    'pictures with depth: NYU\'s nyu_depth_v2_labeled.mat, train.txt and test.txt with pairs, train/rgb and train/depth, or "world"',
  boxes: 'pictures with boxes: PASCAL VOC, COCO, a folder with a boxes.json, or "world"',
  pairs: 'pairs of pictures with key points: SPair-71k, a folder with a pairs.json, or "world"',
  segmentation: 'images with masks: PASCAL VOC, ADE20K, COCO, Cityscapes, train/images and train/masks, or "world"',
  videos:
    'videos with masks of objects: DAVIS, YouTube-VOS, or frames/<video>/*.jpg with masks/<video>/*.png, or "world"',
  nothing: '',
};

function withData(command: Command, task: EvalTask): Command {
  const limited = withLimitOf(task, command);
  const reading = limited.option(
    '-d, --data <data>',
    DATA_HELP[task.reads] + (task.reads === 'published' ? '' : ' (default: what the run was trained on)'),
  );
  return task.reads === 'segmentation' ? withMasks(reading) : reading;
}

function withLimitOf({ reads }: EvalTask, command: Command): Command {
  if (reads === 'pairs') return withDataset(command.addOption(pairsOption()));
  if (reads === 'boxes' || reads === 'videos') return withDataset(command);
  if (reads === 'published') return withResize(command.addOption(imagesOption()), reads);
  return withLimits(withResize(reads === 'segmentation' ? command : withSplit(command), reads));
}

const TESTED_PARTS: readonly TestedPart[] = ['val', 'test', 'held-out'];

/** Only for images alone: data with masks, pairs or boxes have parts of their own kind. */
const withSplit = (command: Command): Command =>
  command.addOption(
    new Option(
      '--split <part>',
      'that is tested on; held-out: a tenth of data without parts, by seed 0 (default: test of a published data set, else val)',
    ).choices(TESTED_PARTS),
  );

const withMasks = (command: Command): Command =>
  command
    .option(
      '--mask-values <list>',
      'values in the masks in the order of the classes, e.g. 0,255 (default: 0, 1, ...)',
      indexList,
    )
    .option('--void <value>', 'value in the masks that is not scored (default: 255, of ADE20K 0)', index)
    .addOption(
      new Option('--train-list <name>', 'training list of PASCAL VOC (default: trainaug where it is there)').choices([
        'train',
        'trainaug',
      ]),
    )
    .option(
      '--train-share <share>',
      'of the training pictures with masks, drawn by seed 0 (default: all; of COCO under --protocol paper 0.1)',
      positiveShare,
    );

const withLimits = (command: Command, fallback?: string): Command =>
  withDataset(command.addOption(imagesOption(fallback)));

const imagesOption = (fallback?: string): Option =>
  limitOption('--images', 'at most so many images, evenly spaced', fallback);

const withDataset = (command: Command): Command =>
  command.option(
    '--dataset <name>',
    "the data set's name in records, e.g. imagenet-1k: the paper's values are shown beside it",
  );

/** `fallback`: the default, as one would write it. */
function pairsOption(fallback?: string): Option {
  const option = new Option('--pairs <n>', 'at most so many pairs, evenly spaced').argParser(positiveInteger);
  return fallback === undefined ? option : option.default(positiveInteger(fallback), fallback);
}

/** Only where a centre is cut out: evaluations of patches see the whole picture, squashed. */
const withResize = (command: Command, reads: EvalTask['reads']): Command =>
  reads === 'images' || reads === 'labelled' || reads === 'published'
    ? command.option(
        '--resize <px>',
        'shorter side before the centre is cut out (default: 8/7 of the input)',
        positiveInteger,
      )
    : command;

/** `fallback`: the default, as one would write it. */
function limitOption(flag: string, about: string, fallback?: string): Option {
  const option = new Option(`${flag} <train,test>`, about).argParser(trainTest);
  return fallback === undefined ? option : option.default(trainTest(fallback), fallback);
}

const withOutput = (command: Command): Command =>
  command
    .option('--json <file>', 'write the records')
    .option('--html <file>', 'write a page with figures')
    .option(
      '--estimate',
      'say what it would take in time, memory and disk, as measured now, and stop; with --json the figures',
    );

async function runOne(task: EvalTask, options: Options, words: readonly string[]): Promise<void> {
  refuseIdle(
    { ...options },
    { estimate: task.reads === 'nothing' && NOTHING_TO_ESTIMATE, ...task.idle?.({ ...options }) },
  );
  if (task.reads === 'nothing') return runWithoutModel(task, options);
  const { weights, data: asked = task.withoutData?.({ ...options }) } = options;
  await using features = await openFeatures(weights);
  // without other data the files are the data
  const own = features && asked === undefined ? features : undefined;
  const { spec, heldOut, said } = await chosenData({ weights, asked: own ? weights : asked, part: TESTED });
  if (task.reads === 'patches' && !own)
    refuseIdle(
      { ...options },
      { split: (await isSegmentationData(spec)) && `on ${spec}: its parts are those of its masks` },
    );
  await checkOutputs(options, spec);
  if (said) console.log(said);
  const side = task.inputSize?.({ ...options });
  await using session = await openSession(
    options,
    ({ imgSize, patchSize }) =>
      side === undefined ? defaultSize({ imgSize, patchSize }) : wholePatches(side, patchSize),
    features,
  );
  using backend = chooseBackend(session);
  const data = contextOptions(options, { data: spec, denseData: spec, heldOut, features: own }, [task]);
  await using shared = shareSets(data);
  await using context = openContext(session, backend, data, shared);
  if (options.estimate) {
    const question = { session, backend, sets: shared.sets, data, context };
    return await runEstimate(question, [task], estimateOptions(options, words));
  }
  const results = await runTasks(context, [task], { ...options }, false);
  await finish({ model: session.weights.name, ...results }, options);
}

const estimateOptions = (options: Options, words: readonly string[]): EstimateOptions => ({
  given: { ...options },
  json: options.json,
  command: programCommand(words),
});

const BESIDE_ALL =
  'the search for planes of RASA, the second run of evaluations of patches where there are some, and the untrained model beside it (--no-control)';

const NOTHING_TO_ESTIMATE = 'where no images are read: it takes seconds';

/** Of the run's own data. */
const TESTED = 'tested on its held-out part';

async function runWithoutModel(task: EvalTask, options: Options): Promise<void> {
  await checkOutputs(options);
  using backend = chooseBackend(undefined);
  const data = { data: 'world', denseData: 'world', heldOut: undefined };
  await using context = openContext(undefined, backend, contextOptions(options, data, [task]));
  await finish({ model: task.name, ...(await runTasks(context, [task], { ...options }, false)) }, options);
}

async function runAll(evaluations: readonly EvalTask[], options: Options, words: readonly string[]): Promise<void> {
  const { weights } = options;
  await using features = await openFeatures(weights);
  const own = features && options.data === undefined ? features : undefined;
  const place = features ? undefined : placeOfOutputs(weights);
  const html = options.html ?? pageOf(weights);
  const asked = own ? weights : (options.data ?? (dataOfRun(weights)?.spec === undefined ? 'world' : undefined));
  const { spec, heldOut, said } = await chosenData({ weights, asked, part: TESTED });
  await checkOutputs({ ...options, html }, spec);
  if (said) console.log(said);
  const denseData = options.denseData ?? (own || (await isSegmentationData(spec)) ? spec : 'world');
  const pairData = options.pairData ?? (isPairData(spec) ? spec : 'world');
  const boxData = options.boxData ?? ((await isBoxData(spec)) ? spec : 'world');
  const videoData = options.videoData ?? (isVideoData(spec) ? spec : 'world');
  const depthData = options.depthData ?? (isDepthData(spec) ? spec : 'world');
  const named = { data: spec, denseData, pairData, boxData, videoData, depthData, heldOut, features: own };
  const data = contextOptions(options, named, evaluations);
  await using shared = shareSets(data);
  // what cannot be split is refused now, not by each task
  await shared.sets('images');
  if (options.estimate)
    return onModel(options, features, async (session, backend) => {
      await using context = openContext(session, backend, data, shared);
      const question = { session, backend, sets: shared.sets, data, context };
      await runEstimate(question, evaluations, { ...estimateOptions(options, words), besides: BESIDE_ALL });
    });
  const folder = place?.suffix === '' ? place.folder : undefined;
  const { model, inside, ...results } = await onModel(options, features, async (session, backend) => ({
    inside: session.weights.outputAlone === undefined,
    ...(await runBeforeAndAfter(session, evaluations, { backend, data, shared, folder })),
  }));
  if (options.control && !inside && !features)
    console.error('no untrained model beside it: an ONNX file says nothing of initial weights');
  const controlled = options.control && inside && !features && !parseWeights(weights).untrained;
  if (controlled) console.error('the same model untrained:');
  const controls = evaluations.filter(({ name }) => CONTROLLED.includes(name));
  const control = controlled
    ? await onModel({ ...options, weights: UNTRAINED + weights }, undefined, async (session, backend) => {
        await using context = openContext(session, backend, { ...data, blocks: 1 }, shared);
        return runTasks(context, controls, {}, true);
      })
    : undefined;
  await finish({ model, ...results, control: control?.records ?? [] }, { ...options, html });
}

/** Opens a model for what `run` does with it. */
async function onModel<Result>(
  options: Options,
  features: OpenFeatures | undefined,
  run: (session: FeatureSession, backend: EvalBackend) => Promise<Result>,
): Promise<Result> {
  await using session = await openSession(options, defaultSize, features);
  using backend = chooseBackend(session);
  return await run(session, backend);
}

/** Before hours of work, not after. */
async function checkOutputs({ json, html, items, saveProbe, weights }: Options, data?: string): Promise<void> {
  const inputs = [weights, data].filter((input) => input !== undefined);
  for (const path of [json, html, items, saveProbe]) if (path) await checkOutputFile(path, inputs);
}

const contextOptions = (
  {
    dataset,
    images = {},
    denseImages = images,
    pairs,
    boxImages,
    videos,
    depthImages,
    resize,
    maskValues,
    void: unscored,
    trainList,
    trainShare,
    protocol,
    split,
  }: Options,
  data: Pick<
    ContextOptions,
    'data' | 'denseData' | 'pairData' | 'boxData' | 'videoData' | 'depthData' | 'heldOut' | 'features'
  >,
  tasks: readonly EvalTask[],
): ContextOptions => ({
  ...data,
  blocks: Math.max(...tasks.map(({ blocks = 1 }) => blocks)),
  images,
  denseImages,
  pairs,
  boxImages,
  videos,
  ...(depthImages && { depthImages }),
  masks: { maskValues, void: unscored },
  segmentation: { trainList, trainShare, protocol },
  split: TESTED_PARTS.find((part) => part === split),
  ...(dataset ? { dataset } : {}),
  ...(resize ? { resize } : {}),
});

/** In the folder of the run, else beside the working directory's other files. */
function pageOf(weights: string): string {
  const place = placeOfOutputs(weights);
  return place
    ? join(place.folder, `evals${place.suffix}.html`)
    : `evals-${basename(resolve(weights)).replace(/\.\w+$/, '')}.html`;
}
