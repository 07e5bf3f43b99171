"""What each action of the window does, and when it can be done."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QStandardPaths, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from ..domain.capture import Capture
from ..domain.figures import Figure
from ..domain.plain_text import plain
from ..errors import ArenaScopeError
from ..qtmodels.boards_model import BoardItem, BoardState
from ..qtmodels.documents import CAPTURE_SUFFIX, OpenModel
from ..qtmodels.next_steps import NextStep
from ..qtmodels.notices import Level, Notice
from ..qtmodels.prompts import Question, SecretQuestion, ServerQuestions
from ..settings import places
from ..store import preferences
from ..workflow.connect import LOCAL
from ..workflow.inspect import InspectRequest
from .actions import COLOR_RULES, FIGURES, TABS
from .whatif_actions import WhatIfActions

if TYPE_CHECKING:
    from .dialogs.file_dialog import FileDialog
    from .dialogs.setup_board import SetupDialog
    from .dialogs.undo_setup import UndoDialog
    from .export import Exportable, ExportOptions
    from .main_window import MainWindow

OPEN_KINDS = "Models and captures (*.tflite *.lite *.ascope);;All files (*)"


class WindowActions(QObject):
    """Dialogs are opened without blocking: whatever goes on in the background goes on."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self._actions = window.actions_
        self._export_options: ExportOptions | None = None
        self._view = "arena-map"
        self._bind()
        self._session.questions.show = self.ask
        QApplication.instance().focusChanged.connect(self._focus_changed)  # type: ignore[union-attr]
        self._session.selection.historyChanged.connect(self._follow_history)
        self._session.documents.modelOpened.connect(self._opened)
        self._session.documents.captureOpened.connect(self._opened)
        window.map.colorByChanged.connect(lambda rule: self._actions[f"color_{rule}"].setChecked(True))
        window.live.chart.pausedChanged.connect(self._paused)
        window.strip.asked.connect(self.explain)
        window.whatif.figures.asked.connect(self.explain)
        WhatIfActions(window, self.follow_capture)
        self._follow_history()
        self.follow_request(self._session.request)
        self._actions[f"color_{window.map.color_rule}"].setChecked(True)
        self._actions[f"theme_{window.themes.mode}"].setChecked(True)
        self._actions["cancel"].setEnabled(False)

    def _bind(self) -> None:
        window, session, on = self._window, self._session, self._actions.on
        selection = session.selection
        on("open", self.open)
        on("open_example", self.open_examples)
        on("save", self.save)
        on("report", self.report)
        on("export", self.export)
        on("copy_image", self.copy_image)
        on("quit", window.close)
        on("inspect", lambda: session.inspect())
        on("inspect_here", lambda: session.inspect(LOCAL))
        on("cancel", session.cancel)
        on("inputs", self.inputs)
        on("delegate_default", lambda: self._change(delegate="default"))
        on("delegate_none", lambda: self._change(delegate="none"))
        on("preserve_all", lambda: self._change(preserve_all=self._actions["preserve_all"].isChecked()))
        on("watch", self.watch)
        on("add_board", self.add_board)
        on("check_board", lambda: session.boards.check(session.target))
        on("setup_board", self.setup_board)
        on("undo_setup", self.undo_setup)
        on("reload_boards", session.boards.reload)
        on("disconnect_board", lambda: session.boards.disconnect_board(session.target))
        on("forget_board", self.forget_board)
        on("fit", self.fit)
        on("zoom_tensor", self.zoom_tensor)
        on("pause", window.live.chart.toggle_pause)
        for rule in COLOR_RULES:
            on(f"color_{rule}", partial(window.map.set_color_by, rule))
        for number, name in enumerate(TABS):
            on(f"tab_{name.lower()}", partial(window.tabs.setCurrentIndex, number))
        for mode in ("system", "light", "dark"):
            on(f"theme_{mode}", partial(self.set_theme, mode))
        on("copy_tensor", window.map.copy_card)
        on("search", self.search)
        on("back", selection.back)
        on("forward", selection.forward)
        on("step_back", lambda: selection.move_step(-1))
        on("step_forward", lambda: selection.move_step(1))
        on("step_busiest", selection.to_busiest_step)
        for key in FIGURES:
            on(f"explain_{key}", partial(window.strip.ask, key))
        on("palette", self.palette)
        on("shortcuts", self.shortcuts)
        on("help", self.help)
        on("about", self.about)

    # -- files ------------------------------------------------------------------------------------

    def open(self) -> None:
        dialog = QFileDialog(self._window, "Open a model or a capture", self._folder(), OPEN_KINDS)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self._session.open(Path(path)))
        dialog.open()

    def open_examples(self) -> None:
        from ..qtmodels.examples import Examples

        Examples(self._session).show()

    def save(self) -> None:
        capture = self._session.capture
        if capture is None:
            return
        name = Path(capture.model.name).stem or "run"
        start = str(Path(self._folder()) / f"{name}{CAPTURE_SUFFIX}")
        title = "Save the capture (names of the device and of processes are kept)"
        dialog = QFileDialog(self._window, title, start, "Captures (*.ascope)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(CAPTURE_SUFFIX.lstrip("."))
        dialog.fileSelected.connect(lambda path: self._session.save(Path(path)))
        dialog.open()

    def report(self) -> None:
        from .dialogs.report import ReportDialog

        capture = self._session.capture
        if capture is None:
            return
        stem = Path(capture.model.name).stem or "run"
        dialog = ReportDialog(Path(self._folder()) / f"{stem}-report.html", self._window)
        dialog.writeAsked.connect(partial(self._write_report, capture, dialog))
        dialog.open()

    def _write_report(
        self, capture: Capture, dialog: FileDialog, path: Path, redact: bool, show: bool
    ) -> None:
        def make() -> bytes:
            from ..reporters import html

            return html.render(capture, redact=redact).encode()

        def then() -> None:
            dialog.written()
            if show:
                QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.absolute())))

        self._session.documents.write("Report", path, make, then, partial(self._not_written, dialog))

    def _not_written(self, dialog: FileDialog, notice: Notice) -> None:
        """In the dialog, where it can be mended; in the window where that was closed meanwhile."""
        if not dialog.not_written(notice):
            self._window.show_notice(notice)

    @property
    def export_options(self) -> ExportOptions:
        """As they were chosen last; names are left out at first."""
        from .export import ExportOptions

        return self._export_options or ExportOptions()

    def views(self) -> dict[str, Exportable]:
        from .exportables import exportables

        return {view.key: view for view in exportables(self._window)}

    def current_view(self) -> Exportable:
        """The one that was used last."""
        return self.views()[self._view]

    def export(self) -> None:
        from .dialogs.export import ExportDialog
        from .export import ExportOptions, file_name, picture

        view, chosen = self.current_view(), self.export_options
        capture = self._stamp_of(view)
        if capture is None:
            return
        path = Path(self._folder()) / file_name(view, capture, chosen.format.value)
        dialog = ExportDialog(view.title, path, chosen, self._window)
        theme = self._window.themes.theme

        def preview(options: ExportOptions) -> None:
            dialog.show_preview(picture(view, capture, ExportOptions(scale=1, redact=options.redact), theme))

        preview(chosen)
        dialog.previewAsked.connect(preview)
        dialog.writeAsked.connect(partial(self._write_view, view, capture, dialog))
        dialog.copyAsked.connect(partial(self._copy_view, view, capture))
        dialog.open()

    def _write_view(
        self, view: Exportable, capture: Capture, dialog: FileDialog, options: ExportOptions, path: Path
    ) -> None:
        from .export import prepare

        self._export_options = options
        try:
            make = prepare(view, capture, options, self._window.themes.theme)
        except ArenaScopeError as error:
            self._not_written(dialog, Notice.of_error(error, f"Exporting {view.title}", "export"))
            return
        otherwise = partial(self._not_written, dialog)
        self._session.documents.write(view.title, path, make, dialog.written, otherwise, "export")

    def _copy_view(self, view: Exportable, capture: Capture, options: ExportOptions) -> None:
        from .export import picture

        image = picture(view, capture, options, self._window.themes.theme)
        QGuiApplication.clipboard().setImage(image)
        names = "names left out" if options.redact else "names left in"
        self._window.show_notice(Notice(Level.SUCCESS, f"{view.title} copied as an image, {names}."))

    def copy_image(self) -> None:
        view = self.current_view()
        capture = self._stamp_of(view)
        if capture is not None:
            self._copy_view(view, capture, self.export_options)

    def _stamp_of(self, view: Exportable) -> Capture | None:
        """What the picture is of: the run, or the plan where that is what it shows."""
        if view.key == "what-if":
            return self._window.whatif.capture
        if view.key in ("live", "memory", "run"):
            return self._session.capture
        return self._session.selection.capture

    # -- runs -------------------------------------------------------------------------------------

    def inputs(self) -> None:
        def ask(model: OpenModel) -> None:
            from .dialogs.inputs import InputsDialog

            assert model.graph is not None
            dialog = InputsDialog(model.graph, self._session.request, self._window)
            dialog.chosen.connect(self._session.set_request)
            dialog.open()

        self._session.with_graph(ask)

    def watch(self) -> None:
        if self._session.watching is None:
            self._session.start_watch()
        else:
            self._session.stop_watch()
        self._actions["watch"].setChecked(self._session.watching is not None)

    def _change(self, **changes: object) -> None:
        from dataclasses import replace

        self._session.set_request(replace(self._session.request, **changes))  # type: ignore[arg-type]

    # -- boards -----------------------------------------------------------------------------------

    def add_board(self) -> None:
        from .dialogs.add_board import AddBoardDialog

        dialog = AddBoardDialog(self._window, *self._session.boards.refused)
        dialog.chosen.connect(lambda address, name: self._session.boards.add(address, name or None))
        dialog.open()

    def forget_board(self) -> None:
        """The list is all that is lost, so nothing is asked; how to undo it is said."""
        target = self._session.target
        if target == LOCAL:
            return
        self._session.set_target(LOCAL)
        self._session.boards.forget(target)
        self._window.show_notice(
            Notice(
                Level.INFO,
                f"{target} is forgotten.",
                "Add it again at any time.",
                steps=(NextStep(action="add_board"),),
            )
        )

    def setup_board(self) -> None:
        from .dialogs.setup_board import SetupDialog

        self._work_on_board(SetupDialog)

    def undo_setup(self) -> None:
        from .dialogs.undo_setup import UndoDialog

        self._work_on_board(UndoDialog)

    def _work_on_board(self, kind: type[SetupDialog] | type[UndoDialog]) -> None:
        target = self._session.target
        if target == LOCAL or self._session.running is not None:
            return
        dialog = kind(self._session.board_setup(target, self), self._window.words_of, self._window)
        dialog.stepAsked.connect(self.take)
        dialog.open()

    def take(self, step: NextStep, target: str = "") -> None:
        """What the button of a next step does; ``target``: the device that it is about."""
        if step.copies:
            QGuiApplication.clipboard().setText(step.copies)
            self._window.show_notice(Notice(Level.SUCCESS, f"Copied: {plain(step.copies, 160)}"))
        if step.action:
            if target and self._session.boards.model.item(target) is not None:
                self._session.set_target(target)
            for key in step.action.split():
                self._actions[key].trigger()

    def ask(self, question: Question) -> None:
        """A connecting thread waits for the answer."""
        from .dialogs.host_key import HostKeyDialog
        from .dialogs.secret import SecretDialog
        from .dialogs.server_questions import ServerQuestionsDialog

        kinds = {SecretQuestion: SecretDialog, ServerQuestions: ServerQuestionsDialog}
        kinds.get(type(question.about), HostKeyDialog)(question, self._window).open()

    # -- looking ----------------------------------------------------------------------------------

    def fit(self) -> None:
        """The map, or the chart where that was used last."""
        if self._view == "live":
            self._window.live.chart.fit()
        else:
            self._window.map.fit()

    def zoom_tensor(self) -> None:
        key = self._session.selection.tensor
        if key is not None:
            self._window.map.fit_tensor(key)

    def search(self) -> None:
        self._window.search.setFocus()
        self._window.search.selectAll()

    def set_theme(self, mode: str) -> None:
        self._window.themes.set_mode(mode)
        state = self._window.state()
        self._session.documents.submit(lambda: preferences.save(state, places().preferences), lambda _: None)

    def explain(self, figure: Figure, anchor: QWidget) -> None:
        from .dialogs.explain import ExplainPopover

        popover = ExplainPopover(figure, self._window.themes.theme, self._window.root)
        popover.chosen.connect(self._session.selection.select)
        popover.show_under(anchor)

    def palette(self) -> None:
        from .command_palette import CommandPalette

        CommandPalette(self._actions, self._window.themes.theme, self._window.root).show_over()

    def shortcuts(self) -> None:
        from .dialogs.shortcuts import ShortcutsDialog

        ShortcutsDialog(self._window).open()

    def help(self) -> None:
        from .dialogs.help import HelpDialog

        HelpDialog(self._window.themes.theme, parent=self._window).show()

    def about(self) -> None:
        from .dialogs.about import AboutDialog

        AboutDialog(self._window).open()

    def show_details(self, notice: Notice) -> None:
        from .dialogs.error_box import ErrorBox

        ErrorBox(notice, self._window).open()

    def escape(self) -> None:
        """One thing at a time: stop the work, close the message, unpin, let go of the tensor."""
        window, selection = self._window, self._session.selection
        if self._session.cancel():
            return
        for banner in (window.toast, window.banner):
            if banner.isVisible():
                banner.dismiss()
                return
        window.map.unpin()
        selection.select(None)

    # -- when it can be done ----------------------------------------------------------------------

    def follow_capture(self, capture: Capture | None) -> None:
        keys = ["save", "report", "export", "copy_image", "fit", "zoom_tensor", "copy_tensor"]
        keys += ["step_back", "step_forward", "step_busiest"]
        shown = capture is not None or self._session.selection.capture is not None
        for key in (*keys, *(f"explain_{k}" for k in FIGURES)):
            run_only = key in ("save", "report")
            self._actions[key].setEnabled(capture is not None if run_only else shown)
        planned = self._session.whatif.answer is not None
        for key in ("export", "copy_image"):
            self._actions[key].setEnabled(shown or planned)

    def follow_run(self, running: bool) -> None:
        for key in ("inspect", "inspect_here", "watch", "whatif_measure"):
            self._actions[key].setEnabled(not running)
        self.follow_target(self._session.boards.model.item(self._session.target))

    def follow_watch(self, watching: bool) -> None:
        self._actions["watch"].setChecked(watching)
        self._actions["watch"].setText("Stop Watching" if watching else "Watch the Board")

    def follow_target(self, item: BoardItem | None) -> None:
        saved = item is not None and item.target != LOCAL
        idle = self._session.running is None
        self._actions["forget_board"].setEnabled(saved)
        for key in ("setup_board", "undo_setup"):
            self._actions[key].setEnabled(saved and idle)
        measures = item is None or item.state is not BoardState.PLANS_ONLY
        self._actions["watch"].setEnabled(measures and idle)

    def follow_request(self, request: InspectRequest) -> None:
        self._actions["preserve_all"].setChecked(request.preserve_all)
        self._actions["delegate_none" if request.delegate == "none" else "delegate_default"].setChecked(True)

    def keep_settings(self) -> None:
        """At the end: small enough to be written at once. That it cannot be written is no matter then."""
        try:
            preferences.save(self._window.state(), places().preferences)
        except ArenaScopeError:
            pass

    def _follow_history(self) -> None:
        self._actions["back"].setEnabled(self._session.selection.can_back)
        self._actions["forward"].setEnabled(self._session.selection.can_forward)

    def _paused(self, paused: bool) -> None:
        self._actions["pause"].setText("Go on with the Live View" if paused else "Pause the Live View")

    def _opened(self, found: object) -> None:
        from ..store.recent import RecentKind

        model = isinstance(found, OpenModel)
        path = getattr(found, "path", None)
        if path is not None and not getattr(found, "example", False):
            self._window.recents.opened(path, RecentKind.MODEL if model else RecentKind.CAPTURE)

    def _focus_changed(self, _old: QWidget | None, new: QWidget | None) -> None:
        """The current view is the one that was used last."""
        window = self._window
        if new is None:
            return
        if window.map_card.isAncestorOf(new):
            self._view = "arena-map"
        elif window.tabs_card.isAncestorOf(new):
            self._view = TABS[window.tabs.currentIndex()].lower()

    def _folder(self) -> str:
        """Where to begin: beside the model, else among the documents, else at home; a folder that exists."""
        model = self._session.model
        entry = self._session.entry
        folders = []
        if model is not None and model.path is not None and (entry is None or not entry.example):
            folders.append(model.path.parent)
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        if documents:
            folders.append(Path(documents))
        return str(next((folder for folder in folders if folder.is_dir()), Path.home()))
