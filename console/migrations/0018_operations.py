"""Workers, and what the pages about jobs need: what became of earlier tries, indexes, permissions."""

import django.contrib.postgres.indexes
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0017_received'),
    ]

    operations = [
        TrigramExtension(),  # the first of the console's own lists that is searched by words
        migrations.CreateModel(
            name='Worker',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=8)),
                ('name', models.CharField(max_length=100, unique=True)),
                ('queues', models.JSONField(default=list)),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('seen_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AlterModelOptions(
            name='job',
            options={'default_permissions': (), 'permissions': [('view_ops', 'Can see how the console fares inside'), ('manage_jobs', 'Can retry and cancel background work')]},
        ),
        migrations.AddField(
            model_name='job',
            name='tries',
            field=models.JSONField(default=list, help_text='Attempts that came to nothing: when, by which worker, and why.'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('state', 'done'), _negated=True), fields=['state', 'id'], name='job_state'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(fields=['kind', 'state', 'id'], name='job_kind'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('error'), 'gin_trgm_ops'), condition=models.Q(('error', ''), _negated=True), name='job_error_anywhere'),
        ),
    ]
