/** What else than images with classes a data set holds: masks, boxes, pairs, videos, or the sets of OpenOOD. */
import { DataError, openOpenOod } from '@franca/data';
import { isBoxData, openBoxSet } from '../image-sets/box-set';
import { isPairData, openPairs } from '../image-sets/pair-layouts';
import { isSegmentationData, openSegmentationSets } from '../image-sets/segmentation-set';
import { isVideoData, openVideos } from '../image-sets/video-layouts';

export interface OtherUse {
  readonly what: 'masks' | 'boxes' | 'pairs' | 'videos' | 'out of distribution';
  /** Of how many pictures, or why they cannot be opened. */
  readonly says: string;
  /** Evaluations that read it. */
  readonly tasks: readonly string[];
  readonly notes: readonly string[];
}

interface Use {
  readonly what: OtherUse['what'];
  readonly tasks: readonly string[];
  /** Nothing where there is nothing of it. */
  describe(spec: string): Promise<Pick<OtherUse, 'says' | 'notes'> | undefined>;
}

const USES: readonly Use[] = [
  {
    what: 'masks',
    tasks: ['in-context', 'linear-seg', 'overcluster'],
    async describe(spec) {
      // a text that means no data is told by who opens its images
      if (!(await isSegmentationData(spec).catch(() => false))) return undefined;
      const { train, test, close } = await openSegmentationSets(spec);
      await close();
      const says = `${train.length} pictures of ${train.split}, ${test.length} of ${test.split}, ${test.classes.length} classes`;
      return { says, notes: [...new Set([...train.notes, ...test.notes])] };
    },
  },
  {
    what: 'boxes',
    tasks: ['discover'],
    async describe(spec) {
      if (!(await isBoxData(spec))) return undefined;
      await using set = await openBoxSet(spec);
      return { says: `${set.length} pictures of ${set.split}`, notes: set.notes };
    },
  },
  {
    what: 'pairs',
    tasks: ['correspondence'],
    async describe(spec) {
      if (!isPairData(spec)) return undefined;
      const { pairs, pictures } = await openPairs(spec);
      return { says: `${pairs.length} pairs of ${pictures.length} pictures`, notes: pictures.notes };
    },
  },
  {
    what: 'videos',
    tasks: ['video'],
    async describe(spec) {
      if (!isVideoData(spec)) return undefined;
      const { sequences, split, notes } = await openVideos(spec);
      const frames = sequences.reduce((sum, sequence) => sum + sequence.frames.length, 0);
      return { says: `${sequences.length} sequences of ${split}, ${frames} frames`, notes };
    },
  },
  {
    what: 'out of distribution',
    tasks: ['ood'],
    async describe(spec) {
      const opened = await openOpenOod(spec).catch((error: unknown) => {
        if (error instanceof DataError && error.code === 'not-found') return undefined;
        throw error;
      });
      if (!opened) return undefined;
      const { inside, outside, notes, close } = opened;
      await close();
      const sets = outside.map(
        ({ title, group, source, published }) => `${title} (${group}) ${of(source.length, published)}`,
      );
      return { says: `${of(inside.length, 45_000)} images of ImageNet; ${sets.join(', ')}`, notes };
    },
  },
];

function of(count: number, published: number): string {
  const [here, there] = [count, published].map((each) => each.toLocaleString('en-US'));
  return count === published ? here! : `${here} of ${there}`;
}

/** What a data set holds besides; what looks like it and cannot be opened says why. */
export async function otherUses(spec: string): Promise<OtherUse[]> {
  const found: OtherUse[] = [];
  for (const { what, tasks, describe } of USES) {
    try {
      const described = await describe(spec);
      if (described) found.push({ what, tasks, ...described });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      found.push({ what, tasks: [], says: `cannot be used: ${error.message}`, notes: [] });
    }
  }
  return found;
}
