/** A task for a specialist. */
export interface DelegateTask {
  readonly profile: string;
  readonly task: string;
  readonly signal: AbortSignal;
  /** Shows a person what the specialist does. */
  emit(text: string): void;
}

export interface CanDelegate {
  /** The answer of the specialist, with what it took. An `AppError` that the model can act on says why there is none. */
  run(task: DelegateTask): Promise<string>;
}
