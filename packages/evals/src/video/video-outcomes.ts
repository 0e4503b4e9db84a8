/**
 * The result of following objects through videos: J&F, J and F as three outcomes, whose items are the objects.
 *
 * Values are plain means over objects, not over sequences or frames: of an object's J and F the mean over its scored frames is taken, and J&F is the mean of the
 * two. Recall and decay are taken of each object, then averaged too.
 */
import type { OptionKinds } from '@franca/tensor';
import { valueItems } from '../compare/item-results';
import { checkArgument, EvalsError } from '../errors';
import { type SequenceStatistics, sequenceStatistics } from '../metrics/sequence-statistics';
import type { Json, Outcome } from '../outcome';
import { PAPER_SETTINGS } from '../report/paper-results';
import { DINO_PROPAGATION, DINOV3_PROPAGATION, type PropagationOptions } from './propagation-settings';
import type { VideoScoring } from './score-objects';

/** What was measured of one object of a sequence. */
export interface ObjectTrack {
  readonly sequence: string;
  readonly object: number;
  /** J of the scored frames, in their order; an object with none is not evaluated. */
  readonly regions: readonly number[];
  /** F of the same frames. */
  readonly boundaries: readonly number[];
}

/** What outcomes say beside the numbers. */
export interface VideoRun {
  /** Whose way of propagation it is. */
  readonly protocol: 'dino' | 'dinov3';
  readonly scoring: VideoScoring;
  /** What sets these features apart, such as `480 px`; the outcomes' variant. */
  readonly label?: string;
  /** Objects that there were to evaluate. */
  readonly total: number;
  /** Settings of the propagation that are not the protocol's. */
  readonly propagation?: PropagationOptions;
  /** What else differs from the protocol, such as `short side 320 in place of 480`. */
  readonly differences?: readonly string[];
  /** What else the numbers depend on: size, patch size, block, backend. */
  readonly hyper: Readonly<Record<string, Json>>;
  readonly wallMs: number;
}

const PARTS: OptionKinds<VideoRun> = {
  protocol: ['dino', 'dinov3'],
  scoring: ['davis-2017', 'youtube-vos'],
  label: 'string',
  total: 'number',
  propagation: 'object',
  differences: 'strings',
  hyper: 'object',
  wallMs: 'number',
};
const MAY_LACK: readonly (keyof VideoRun)[] = ['label', 'propagation', 'differences'];

const PROTOCOLS = { dino: DINO_PROPAGATION, dinov3: DINOV3_PROPAGATION } as const;

const SCORED_ON: Readonly<Record<VideoScoring, string>> = {
  'davis-2017': 'frames with a mask, without the first and the last of the sequence',
  'youtube-vos':
    "frames with a mask after that of the object's first one, scored here; the official server, which alone has the masks of the official validation part, was not asked",
};

/**
 * J&F, J and F.
 * @throws EvalsError `argument`, or `labels` where no object has a scored frame or a value is not finite
 */
export function videoOutcomes(tracks: readonly ObjectTrack[], run: VideoRun): Outcome[] {
  checkArgument('videoOutcomes', 'tracks', tracks, 'list');
  checkRun(run);
  const objects = tracks.flatMap((track) => measured(track));
  if (objects.length === 0)
    throw new EvalsError('labels', `videoOutcomes: none of ${tracks.length} objects has a scored frame`);
  const mean = (of: (object: Measured) => number): number =>
    objects.reduce((sum, object) => sum + of(object), 0) / objects.length;
  const outcome = (metric: string, of: (object: Measured) => number, others: Outcome['others']): Outcome => ({
    task: 'video-segmentation',
    protocol: run.protocol,
    variant: run.label ?? '',
    evaluated: objects.length,
    total: run.total,
    metric,
    value: mean(of),
    unit: 'share',
    others,
    perClass: [],
    items: valueItems(objects.map(of)),
    hyper: hyperOf(run, objects),
    selectedOn: 'nothing',
    seeds: [],
    quirks: false,
    wallMs: run.wallMs,
  });
  const [j, f] = (['j', 'f'] as const).map((name) => ({
    mean: mean((object) => object[name].mean),
    recall: mean((object) => object[name].recall),
    decay: mean((object) => object[name].decay),
  }));
  return [
    outcome('J&F', (object) => (object.j.mean + object.f.mean) / 2, {
      J: j!.mean,
      F: f!.mean,
      ...{ 'J recall': j!.recall, 'J decay': j!.decay, 'F recall': f!.recall, 'F decay': f!.decay },
    }),
    outcome('J', (object) => object.j.mean, { recall: j!.recall, decay: j!.decay }),
    outcome('F', (object) => object.f.mean, { recall: f!.recall, decay: f!.decay }),
  ];
}

/** An object with scored frames. */
interface Measured {
  readonly sequence: string;
  readonly frames: number;
  readonly j: SequenceStatistics;
  readonly f: SequenceStatistics;
}

function measured(track: ObjectTrack): Measured[] {
  checkArgument('videoOutcomes', 'a track', track, 'object');
  const { sequence, object, regions, boundaries } = track;
  checkArgument('videoOutcomes', 'regions of a track', regions, 'numbers');
  checkArgument('videoOutcomes', 'boundaries of a track', boundaries, 'numbers');
  if (regions.length !== boundaries.length || ![...regions, ...boundaries].every(Number.isFinite))
    throw new EvalsError(
      'labels',
      `videoOutcomes: object ${object} of ${sequence} has J [${regions}] and F [${boundaries}]; give both of each scored frame`,
    );
  if (regions.length === 0) return [];
  return [{ sequence, frames: regions.length, j: sequenceStatistics(regions), f: sequenceStatistics(boundaries) }];
}

/** All settings, and whether they are the protocol's. */
function hyperOf(
  { protocol, scoring, propagation = {}, differences = [], hyper }: VideoRun,
  objects: readonly Measured[],
) {
  const given = Object.entries(propagation).filter(([, value]) => value !== undefined);
  const official: Readonly<Record<string, Json>> = { ...PROTOCOLS[protocol] };
  const changed = given.flatMap(([name, value]) =>
    value === official[name] ? [] : [`${name} ${value} in place of ${official[name]}`],
  );
  const all = [...changed, ...differences];
  return {
    ...hyper,
    ...official,
    ...Object.fromEntries(given),
    sequences: new Set(objects.map(({ sequence }) => sequence)).size,
    scoredFrames: objects.reduce((sum, { frames }) => sum + frames, 0),
    scoring,
    scoredOn: SCORED_ON[scoring],
    settings: all.length === 0 ? PAPER_SETTINGS : all.join('; '),
  };
}

function checkRun(run: VideoRun): void {
  checkArgument('videoOutcomes', 'run', run, 'object');
  for (const part of Object.keys(PARTS) as (keyof VideoRun)[])
    if (run[part] !== undefined || !MAY_LACK.includes(part))
      checkArgument('videoOutcomes', `run.${part}`, run[part], PARTS[part]);
}
