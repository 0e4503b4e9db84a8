/** What following objects costs, frame by frame: some frames of the first sequence are followed, features included. */
import type { ChosenSequences } from '../../../image-sets/video-listed';
import { followSequence } from '../../video/follow-sequence';
import { type SettingOptions, settingsOf, type VideoSetting } from '../../video/settings';
import type { VideoPart } from '../../video/video-part';
import type { CostQuestion, TaskCost, Work } from '../task-cost';
import { floats } from './readings';

export interface VideoCostOptions extends SettingOptions {
  readonly split?: string;
  readonly resolution?: string;
  readonly sequences?: ChosenSequences;
}

/** Of a trial; the first is given and the next ones have few before them. */
const FRAMES = 4;

export async function videoCost(
  question: CostQuestion,
  { split, resolution, sequences, ...options }: VideoCostOptions,
): Promise<TaskCost> {
  const part = await question.context.videos({ split, resolution, sequences });
  const { embedDim: dim, patchSize } = part.session.model.config;
  const settings = settingsOf(options, patchSize, part.videos.shortSide);
  return {
    reads: [],
    work: settings.map((setting) => followingWork(question, part, setting)),
    held: { host: Math.max(...settings.map((setting) => heldBytes(part, setting, dim))), device: 0 },
    unknown: [
      'what of it is in the cache: counted as if nothing were',
      'what scores of outlines take, and sequences of other sizes than the first',
    ],
  };
}

function followingWork({ backend }: CostQuestion, part: VideoPart, setting: VideoSetting): Work {
  const { videos } = part;
  const frames = videos.sequences.reduce((sum, sequence) => sum + sequence.frames.length, 0);
  const [first] = videos.sequences;
  return {
    name: `frames at ${setting.look.shortSide} px, features included`,
    units: first ? frames : 0,
    trial(scale) {
      const some = Math.min(FRAMES * scale, first!.frames.length);
      return {
        units: some,
        async run() {
          let seen = 0;
          for await (const _ of followSequence(part, backend, first!, setting)) if (++seen === some) return;
        },
      };
    },
  };
}

/** Tokens of the frames that are looked back at. */
function heldBytes({ videos }: VideoPart, { look, propagation }: VideoSetting, dim: number): number {
  const tokens = videos.sequences.map(({ size: [rows, columns] }) => {
    const scale = look.shortSide / Math.min(rows, columns) / look.patchSize;
    return rows * columns * scale ** 2;
  });
  return floats(Math.max(0, ...tokens), dim, propagation.context + 2);
}
