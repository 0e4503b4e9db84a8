/** What a pickle can hold once it is decoded: plain values, containers, and inert stand-ins for everything that Python would call. */

/** What a pickle can hold; lists, tuples and sets are all arrays. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | PickleMap
  | PickleGlobal
  | PickleObject
  | PickleExternal;

export type PickleMap = Map<PickleValue, PickleValue>;

/** Base of what the caller's own functions make. */
export abstract class PickleExternal {
  abstract readonly kind: string;
}

/** A class or function that the pickle names. Without `call` it is inert: instances keep what they were given. */
export class PickleGlobal {
  constructor(
    readonly name: string,
    readonly call?: (args: readonly PickleValue[]) => PickleValue,
  ) {}
}

/** An instance of an inert global, or what calling one would give: data only, kept under the names of pickle's own protocol. */
export class PickleObject {
  /** Its attributes, mostly: a map by name. */
  state: PickleValue = null;
  /** What it holds where it is a dictionary. */
  readonly items: PickleMap = new Map();
  /** What it holds where it is a list, a set, a queue. */
  readonly list: PickleValue[] = [];
  constructor(
    readonly type: string,
    /** What its class was called with. */
    readonly args: readonly PickleValue[],
  ) {}
}
