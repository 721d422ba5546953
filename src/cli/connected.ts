import type { ExitCode } from "./command.ts";
import { type Connection, connect } from "./connection.ts";
import { readClientSettings, reportProblems } from "./read-settings.ts";
import { clientToken, serverUrl } from "./server-address.ts";

/** Connects to the server of these settings and acts there; what goes wrong is said on stderr. */
export async function connected(
  startFolder: string,
  act: (connection: Connection) => Promise<ExitCode>,
): Promise<ExitCode> {
  const loaded = readClientSettings(startFolder);
  if (!loaded.settings) {
    reportProblems(loaded);
    return 2;
  }
  const url = serverUrl(loaded.settings);
  try {
    using connection = await connect(url, clientToken(loaded.settings, url));
    return await act(connection);
  } catch (error) {
    console.error(`openclaw: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
}
