/** What class each value of a mask means: the value itself, or what the layout says; `--mask-values` and `--void` say otherwise. */
import { TrainError } from '../errors';
import type { ImageSet } from './image-set';

/** As the command line says it. */
export interface MaskValues {
  /** Values in the order of the classes. */
  readonly maskValues?: readonly number[] | undefined;
  /** Value of pixels that are not scored. */
  readonly void?: number | undefined;
}

/** In a table of classes: the value means nothing. */
export const STRAY = -1;
/** In a table of classes: pixels of the value are not scored. */
export const VOID = -2;

const VALUES = 2 ** 16;
const MAX_CLASSES = 255;

/**
 * Class of each value [65536], `VOID` or `STRAY`.
 * @throws TrainError `usage` where the values do not fit the classes
 */
export function classOfValue(
  set: Pick<ImageSet, 'classes' | 'ignore' | 'dataset' | 'values'>,
  options: MaskValues,
): Int16Array {
  const { classes, ignore, dataset } = set;
  const { maskValues, void: stated } = options;
  if (classes.length > MAX_CLASSES)
    throw new TrainError(
      'data',
      `${dataset} has ${classes.length} classes; masks can be scored of ${MAX_CLASSES} at most`,
    );
  const table = new Int16Array(VALUES).fill(STRAY);
  if (set.values && !maskValues) {
    for (const [value, c] of set.values) table[value] = c;
    if (stated !== undefined) table[stated] = VOID;
    return table;
  }
  const values = maskValues ?? classes.map((_, c) => c);
  checkValues(values, stated, set, maskValues !== undefined);
  for (const [c, value] of values.entries()) table[value] = c;
  const unscored = stated ?? ignore;
  if (unscored !== undefined && (stated !== undefined || !maskValues?.includes(unscored))) table[unscored] = VOID;
  return table;
}

function checkValues(
  values: readonly number[],
  stated: number | undefined,
  { classes, dataset }: Pick<ImageSet, 'classes' | 'dataset'>,
  given: boolean,
): void {
  const named = classes.slice(0, 5).join(', ') + (classes.length > 5 ? ', ...' : '');
  if (values.length !== classes.length)
    throw new TrainError(
      'usage',
      `--mask-values has ${values.length} values, ${dataset} has ${classes.length} classes (${named}); give the value of each in that order`,
    );
  const twice = values.find((value, at) => values.indexOf(value) !== at);
  if (twice !== undefined)
    throw new TrainError('usage', `--mask-values has ${twice} twice; each class has a value of its own`);
  const large = [...values, stated ?? 0].find((value) => value >= VALUES);
  if (large !== undefined) throw new TrainError('usage', `${large} is no value of a mask; they end at ${VALUES - 1}`);
  if (given && stated !== undefined && values.includes(stated))
    throw new TrainError(
      'usage',
      `--void ${stated} is one of --mask-values; pixels of a value are of a class or not scored`,
    );
}

/** What was said of the values, for records. */
export function valueNotes({ classes }: Pick<ImageSet, 'classes'>, options: MaskValues): string[] {
  const { maskValues, void: stated } = options;
  return [
    ...(maskValues
      ? [
          `values of masks are read as classes by --mask-values: ${maskValues.map((value, c) => `${value} ${classes[c]}`).join(', ')}`,
        ]
      : []),
    ...(stated === undefined ? [] : [`value ${stated} of masks is not scored (--void)`]),
  ];
}
