/** First argument of this executable when it is to run JavaScript for the server that started it; no command of people. */
export const javaScriptWord = "run-javascript";
