/** First argument of this executable when it is to run one statement on an SQLite file; no command of people. */
export const sqliteWord = "ask-sqlite";
