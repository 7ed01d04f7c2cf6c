"""Addresses of operations, part of console.urls."""

from django.urls import path

from console.ops import actions, jobviews, overview

urlpatterns = [
    path("ops/", overview.OpsPage.as_view(), name="ops"),
    path("ops/jobs/", jobviews.JobsPage.as_view(), name="jobs"),
    path("ops/jobs/bulk/", jobviews.JobsBulk.as_view(), name="jobs_bulk"),
    path("ops/jobs/<int:pk>/", jobviews.JobPage.as_view(), name="job"),
    *(
        path(f"ops/jobs/<int:pk>/{verb.name[4:]}/", jobviews.JobVerb.as_view(verb=verb), name=f"job_{verb.name[4:]}")
        for verb in actions.BY_HAND
    ),
]
