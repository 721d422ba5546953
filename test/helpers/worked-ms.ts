/**
 * What this thread has worked until now, in milliseconds: for a bound that neither other processes nor a stop of this one
 * can break.
 */
export function workedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
