"""Tells what happens as one JSON object a line: partyline run --world hosts reads it."""
import json

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: partyline
type: stdout
short_description: one JSON object a line
description: Prints task and host of each result, what went wrong, and what a task tagged tell says.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "partyline"

    def _say(self, event, result=None, **more):
        line = {"event": event, **more}
        if result is not None:
            line["host"] = result._host.get_name()
            line["task"] = result._task.get_name().rpartition(" : ")[2]
        self._display.display(json.dumps(line))

    def v2_playbook_on_play_start(self, play):
        self._say("play", task=play.get_name())

    def v2_runner_on_ok(self, result):
        said = result._result
        if "tell" in result._task.tags and "stdout" in said:
            self._say("tell", result, text=said["stdout"])
        else:
            self._say("changed" if said.get("changed") else "ok", result)

    def v2_runner_on_skipped(self, result):
        pass

    def v2_runner_on_failed(self, result, ignore_errors=False):
        if not ignore_errors:
            self._say("failed", result, text=self._why(result))

    def v2_runner_on_unreachable(self, result):
        self._say("unreachable", result, text=self._why(result))

    @staticmethod
    def _why(result):
        said = result._result
        if said.get("censored"):
            return "a task that handles secrets failed"
        for item in said.get("results", []):
            if item.get("failed"):
                said = item
        texts = [said.get(key) for key in ("msg", "stderr", "stdout", "module_stderr")]
        lines = " ".join(str(text) for text in texts if text).replace("\r", "\n").split("\n")
        return " ".join(line.strip(" @") for line in lines if line.strip(" @"))[:2000]
