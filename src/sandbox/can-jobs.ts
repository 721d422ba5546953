/** A job that an agent made. */
export interface OwnJob {
  readonly name: string;
  readonly schedule: string;
  readonly zone: string;
  /** Its beginning. */
  readonly prompt: string;
  readonly enabled: boolean;
  /** When it runs next, in milliseconds since 1970. */
  readonly nextAt?: number;
}

/** The jobs that agents made for the caller. What cannot be made throws an `AppError` for the model. */
export interface CanJobs {
  list(): Promise<readonly OwnJob[]>;
  create(job: {
    readonly name: string;
    readonly schedule: string;
    readonly prompt: string;
    readonly zone?: string | undefined;
    readonly session?: "own" | "fresh" | undefined;
    /** Send the answers to where the caller's conversation is. */
    readonly deliver: boolean;
  }): Promise<OwnJob & { readonly delivered: boolean }>;
  remove(name: string): Promise<void>;
}
