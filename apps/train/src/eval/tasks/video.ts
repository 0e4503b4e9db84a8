/** Video object segmentation without training: objects of the first frame are followed by the features alone (DAVIS-2017). */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { TrainError } from '../../errors';
import { describeFrames, VIDEO_PROTOCOLS } from '../../image-sets/frame-input';
import type { ChosenSequences } from '../../image-sets/video-listed';
import { integerList, positiveInteger, positiveNumber } from '../../options/option-values';
import { checkOutputFolder } from '../../options/outputs';
import type { EvalContext } from '../context';
import { videoCost } from '../estimate/costs/video';
import type { EvalResult, EvalTask } from '../task';
import { type FollowedSequence, followSet } from '../video/follow-set';
import { type Followed, outcomesOf, unmoved } from '../video/outcome';
import { type ScoredObject, scoreSequence } from '../video/score';
import { type SettingOptions, settingsOf, type VideoSetting } from '../video/settings';
import { shownSequences } from '../video/shown-sequences';
import { costTable, objectTable, sequenceTable } from '../video/tables';
import type { VideoPart } from '../video/video-part';
import { writeAnimation, writeItems, writeMasks } from '../video/written';

interface Options extends SettingOptions, OutputFolders {
  readonly split?: string;
  readonly resolution?: string;
  readonly sequences?: ChosenSequences;
  readonly items?: string;
  /** What is read, where it was named. */
  readonly data?: string;
}

interface OutputFolders {
  readonly masks?: string;
  readonly animate?: string;
}

export const task: EvalTask = {
  name: 'video',
  about: 'objects of the first frame followed through videos by features alone (DAVIS-2017, YouTube-VOS)',
  reads: 'videos',
  order: 16,
  rasa: { options: {} },
  cost: videoCost,
  options: (command: Command) =>
    command
      .option('--split <name>', 'a list of DAVIS (default: val), or a folder of YouTube-VOS (default: valid)')
      .option('--resolution <name>', 'pictures of DAVIS (default: 480p), or Full-Resolution')
      .option('--sequences <n or names>', 'at most so many, evenly spaced, or a,b by name', chosenSequences)
      .addOption(
        new Option(
          '--protocol <name>',
          'dino: square neighbourhood, temperature 0.1; dinov3: a disk, temperature 0.2 (default: dino)',
        ).choices(VIDEO_PROTOCOLS),
      )
      .option(
        '--sizes <list>',
        'short sides of the frames in pixels, each with records of its own (default: 480, or --size; DINOv3 has 480,960,1440)',
        integerList,
      )
      .option(
        '--context <n>',
        'frames before a frame that it is compared with, besides the first (default: 7)',
        positiveInteger,
      )
      .option('--radius <tokens>', 'how far from its place a token is looked for (default: 12)', positiveInteger)
      .option('--top-k <n>', 'most similar tokens that give their labels (default: 5)', positiveInteger)
      .option('--temperature <t>', 'of their weights (default: that of the protocol)', positiveNumber)
      .option('--masks <folder>', 'write the masks, <sequence>/<frame>.png with a palette, as official tools read them')
      .option('--animate <folder>', 'write each sequence with its objects as <sequence>.webp, animated')
      .option('--items <file>', 'write one line of JSON for each object and size, with J and F of every frame'),
  run,
};

function chosenSequences(text: string): ChosenSequences {
  if (/^\d+$/.test(text)) return positiveInteger(text);
  const names = text.split(',');
  if (names.some((name) => name === '') || new Set(names).size < names.length)
    throw new InvalidArgumentError('expected a number, or names of sequences, each once, with commas between them');
  return names;
}

async function run(context: EvalContext, options: Options): Promise<EvalResult> {
  const { masks, animate, items, data, split, resolution, sequences } = options;
  const part = await context.videos({ split, resolution, sequences });
  const { videos, session } = part;
  const settings = settingsOf(options, session.model.config.patchSize, videos.shortSide);
  if (settings.length > 1 && (masks ?? animate) !== undefined)
    throw new TrainError('usage', '--masks and --animate are for one size; give one with --size');
  const names = videos.sequences.flatMap(({ name }) => [name, `${name}.webp`]);
  const inputs = data === undefined ? [] : [data];
  for (const folder of [masks, animate]) if (folder !== undefined) await checkOutputFolder(folder, { names, inputs });
  const followed: Followed[] = [];
  for (const setting of settings) followed.push(await followAll(part, context, setting, { masks, animate }));
  if (items !== undefined) await writeItems(items, followed);
  const records = followed.flatMap((one) => {
    const { look, note } = one.setting;
    const set = { ...part.set, notes: [...part.set.notes, ...(note === undefined ? [] : [note])] };
    const grids = [...new Set(one.sequences.map(({ grid }) => grid.join(' x ')))];
    const size = grids.length === 1 ? `${grids[0]!}` : 'the grid of each sequence';
    return context.records(
      { set, preprocessing: describeFrames(look), size },
      outcomesOf(one, videos, session),
      ({ total }) => total,
    );
  });
  // notes of records stand on the screen and the page already
  const told = records.length > 0 ? [] : videos.notes;
  for (const note of told) console.error(`note: ${note}`);
  const charts = [];
  for (const { setting, sequences: own, objects } of followed)
    charts.push({ figure: await shownSequences(own, objects, `objects followed at ${setting.look.shortSide} px`) });
  return {
    records,
    section: {
      text: ABOUT,
      notices: told.map((text) => ({ kind: 'info', text })),
      charts,
      tables: [...followed.flatMap(tablesOf), costTable(followed, session.model.config.embedDim)],
    },
  };
}

const ABOUT =
  'The mask of the first frame is carried on by the similarity of tokens and nothing else: each token takes its labels from the most similar ones of the first frame and of the few ' +
  'frames before it. J: intersection over union of an object, F: how well its outline is met, both as means over frames, then over objects. Recall: frames above one half; decay: how much ' +
  'the first quarter of a sequence is better than the last.';

function tablesOf({ setting, objects }: Followed) {
  if (objects.length === 0) return [];
  const at = `at ${setting.look.shortSide} px`;
  const floor = `J&F of the given masks, as if nothing moved: ${(100 * unmoved(objects)).toFixed(1)}`;
  return [
    objectTable(objects, `each object ${at}, in percent; ${floor}`),
    ...sequenceTable(objects, `each sequence ${at}`),
  ];
}

/** Masks are written as they come, so that what was found stays if the rest is stopped. */
async function followAll(
  part: VideoPart,
  { backend }: EvalContext,
  setting: VideoSetting,
  { masks, animate }: OutputFolders,
): Promise<Followed> {
  const began = performance.now();
  const sequences: FollowedSequence[] = [];
  const objects: ScoredObject[] = [];
  for await (const followed of followSet(part, backend, setting)) {
    sequences.push(followed);
    objects.push(...(await scoreSequence(followed, part.videos.scoring)));
    if (masks !== undefined) await writeMasks(masks, followed);
    if (animate !== undefined) await writeAnimation(animate, followed);
  }
  return { setting, sequences, objects, wallMs: performance.now() - began };
}
