/**
 * A probe on a set that has its own list of classes.
 *
 * Classes are matched by their identifiers; those of ImageNetV2 are numbers, places in the sorted list of the 1,000 WordNet ids. Images
 * are then told among all classes of the probe, or, as of ImageNet-A and -R, among the set's own: the logits of the others
 * are left out before the largest is taken.
 */
import { IMAGENET_CLASSES } from '@franca/data';
import { type EvalBackend, type Probe, type ProbeScore, scoreProbe } from '@franca/evals';
import { TrainError } from '../errors';
import type { ImageSet } from '../image-sets/image-set';
import type { ImagePart } from './image-part';

/** A probe and what its classes are called. */
export interface NamedProbe {
  readonly probe: Probe;
  readonly classes: readonly string[];
}

export interface ScoreOptions {
  readonly backend: EvalBackend;
  /** Which classes an image is told among: the probe's, or those of the set alone. */
  readonly among: 'all' | 'own';
  /** What the classes of the set are called; default what the probe's are. */
  readonly naming?: 'imagenet-number' | undefined;
}

/** Identifiers of the classes of a set, as they stand on disk. */
export const classIdsOf = ({ classIds, classes }: Pick<ImageSet, 'classIds' | 'classes'>): readonly string[] =>
  classIds ?? classes;

const NAMED = 5;

/**
 * The probe's class of each class of a set.
 * @throws TrainError `data` where the probe does not have some of them
 */
export function mapClasses(
  probe: readonly string[],
  set: Pick<ImageSet, 'dataset' | 'classIds' | 'classes'>,
  naming?: ScoreOptions['naming'],
): number[] {
  const places = new Map(probe.map((id, place) => [id, place]));
  const ids = classIdsOf(set);
  const named = (id: string): string => (naming === undefined ? id : (IMAGENET_CLASSES[Number(id)] ?? id));
  const missing = ids.filter((id) => !places.has(named(id)));
  if (ids.length > 0 && missing.length === 0) return ids.map((id) => places.get(named(id))!);
  const names = missing.slice(0, NAMED).join(', ') + (missing.length > NAMED ? ', ...' : '');
  throw new TrainError(
    'data',
    ids.length === 0
      ? `${set.dataset} has no classes; give class folders`
      : `${missing.length} of the ${ids.length} classes of ${set.dataset} are none of the probe's ${probe.length}: ${names}; ` +
          'train a probe on a set that has them',
  );
}

/** @throws TrainError as `mapClasses` */
export async function scoreSet(
  { probe, classes }: NamedProbe,
  { set, features }: Pick<ImagePart, 'set' | 'features'>,
  { backend, among, naming }: ScoreOptions,
): Promise<ProbeScore> {
  const mapping = mapClasses(classes, set, naming);
  const { probe: stored } = await features();
  if (among === 'own') return scoreProbe(probe, stored, { backend, classMapping: mapping });
  const labels = stored.labels.map((label) => mapping[label]!);
  return scoreProbe(probe, { ...stored, labels }, { backend });
}

/** With several accepted classes for each image of the set, or none, which leaves it out. */
export async function scoreAccepted(
  { probe }: NamedProbe,
  { features }: Pick<ImagePart, 'features'>,
  { backend, accepted }: { readonly backend: EvalBackend; readonly accepted: readonly (readonly number[])[] },
): Promise<ProbeScore> {
  const { images, probe: stored } = await features();
  return scoreProbe(probe, stored, { backend, accepted: Array.from(images, (index) => accepted[index]!) });
}
