"""stub"""


def play_url(build, request):
    return ""
