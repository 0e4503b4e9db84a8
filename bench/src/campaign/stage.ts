/** A stage of the campaign, in types: what it is given, and what it leaves behind. */
export type Precision = 'f16' | 'f32';

/** What a stage is given, as JSON: it runs in a process of its own. */
export interface StageContext {
  readonly stage: string;
  /** Where its record goes. */
  readonly record: string;
  /** A folder for what is not to be kept; stages of one campaign share it. */
  readonly work: string;
  /** Records of the stages before, by name. */
  readonly before: Readonly<Record<string, string>>;
  /** Seconds after which it is ended. */
  readonly seconds: number;
  readonly precision: Precision;
  /** The card's name, as the doctor found it; empty for the doctor itself. */
  readonly card: string;
  /** Tiny sizes, on whatever adapter there is. */
  readonly dry: boolean;
  /** Preset whose step is looked into. */
  readonly preset: string;
  /** Images to train on; undefined: the generated world. */
  readonly data?: string;
  /** Python that has PyTorch; undefined: the first that is found. */
  readonly python?: string;
}

export interface Stage {
  readonly name: string;
  /** What it answers, in a line. */
  readonly about: string;
  /** Seconds it may take on a GPU. */
  readonly seconds: number;
  run(context: StageContext, report: StageReport): Promise<void>;
}

/** What a stage says; every word of it is written down at once. */
export interface StageReport {
  /** The card that the stage found itself on. */
  card(name: string): void;
  /** A number for the table. */
  figure(figure: Figure): void;
  /** A sentence for the table: what was left out, guessed or not possible. */
  note(text: string): void;
  /** Something larger, for the file alone. */
  detail(name: string, value: unknown): void;
}

/** A number with its unit, and what stands beside it in the table: a share of a ceiling, an expectation. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly beside?: string;
}

/** `running` in a file means that the campaign itself was ended. */
export type Status = 'running' | 'done' | 'failed' | 'out of time' | 'not run';

/** The file of a stage. */
export interface StageRecord {
  readonly stage: string;
  readonly status: Status;
  readonly error?: string;
  readonly began: string;
  readonly seconds: number;
  readonly card: string;
  readonly precision: Precision;
  readonly preset: string;
  /** Tiny sizes on whatever adapter there is: no figure of it says anything about a GPU. */
  readonly dry: boolean;
  readonly node: string;
  readonly version: string;
  readonly figures: readonly Figure[];
  readonly notes: readonly string[];
  /** What else the stage found, by name. */
  readonly details: Readonly<Record<string, unknown>>;
}
